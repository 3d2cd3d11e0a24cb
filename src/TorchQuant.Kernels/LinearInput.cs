using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>The activations of a linear layer, prepared so that some rows at a time give the bits of all rows at once.</summary>
/// <param name="Codes">Quantized rows, from the pool; null where a layer multiplies real numbers.</param>
/// <param name="Params">Scale and zero point of all rows.</param>
internal readonly record struct LinearInput(byte[]? Codes, QParams Params)
{
    /// <summary>Gives the memory back.</summary>
    public void Return()
    {
        if (Codes is not null)
            ArrayPool<byte>.Shared.Return(Codes);
    }
}
