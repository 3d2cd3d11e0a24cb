namespace TorchQuant;

/// <summary>
/// A model was converted and cannot compute: <c>forward</c> does something between its modules that int8 tensors do not have. The conversion was taken back. The message names the operation, the method of
/// the model in which it stands, and what to write instead.
/// </summary>
/// <param name="message">The operation, the place and the mend.</param>
/// <param name="innerException">What the model threw.</param>
public sealed class ConvertedModelException(string message, Exception? innerException = null) : InvalidOperationException(message, innerException);
