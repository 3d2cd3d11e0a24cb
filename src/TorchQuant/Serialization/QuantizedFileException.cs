namespace TorchQuant;

/// <summary>
/// A file of weights is damaged, of another kind, or does not fit the model. The message says what was found, what was expected, and the mend. The model that it was
/// to be loaded into is unchanged.
/// </summary>
public sealed class QuantizedFileException : IOException
{
    internal QuantizedFileException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
