namespace TorchQuant;

/// <summary>TorchSharp's native library cannot be loaded. The message says what is missing, where it was looked for, and the mend.</summary>
public sealed class TorchNativeException : DllNotFoundException
{
    internal TorchNativeException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
