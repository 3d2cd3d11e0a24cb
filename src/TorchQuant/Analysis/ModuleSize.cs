namespace TorchQuant;

/// <summary>What one module stores itself, its submodules not counted.</summary>
/// <param name="Path">Dotted path; empty for the model itself.</param>
/// <param name="Type">Type of the module, e.g. <c>Linear</c> or <c>DynamicQuantizedLinear</c>.</param>
/// <param name="Parameters">Numbers stored: weights, biases, buffers; of a quantized module its codes and biases, but not their scales and zero points.</param>
/// <param name="Bytes">Bytes of all its tensors as <c>state_dict</c> stores them, scales and zero points included.</param>
public sealed record ModuleSize(string Path, string Type, long Parameters, long Bytes)
{
    /// <summary><see cref="Bytes"/> / 10^6, as PyTorch's tutorials print sizes.</summary>
    public double Megabytes => Bytes / 1e6;
}
