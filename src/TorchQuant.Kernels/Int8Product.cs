namespace TorchQuant.Kernels;

/// <summary>A statically quantized matrix product: packed weights, the bias, and the scale and zero point of what it gives.</summary>
/// <param name="Weights">The packed weights, [OutFeatures, InFeatures].</param>
/// <param name="Bias">One real number for each output, or null.</param>
/// <param name="Output">Scale and zero point of the results.</param>
public sealed record Int8Product(PackedWeights Weights, float[]? Bias, QParams Output)
{
    /// <summary>The codes of x W^T + b: <see cref="Int8Gemm.MultiplyToByte(ReadOnlySpan{byte}, int, QParams, PackedWeights, ReadOnlySpan{float}, QParams, FusedActivation, Span{byte}, int)"/>.</summary>
    /// <param name="x">Row-major [rows, InFeatures].</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="xParams">Scale and zero point of x.</param>
    /// <param name="output">Receives the codes, row-major [rows, OutFeatures].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a parameter is out of its range.</exception>
    public void Multiply(ReadOnlySpan<byte> x, int rows, QParams xParams, Span<byte> output, int threads = 1) => Multiply(Isa.Current, x, rows, xParams, output, threads);

    internal void Multiply(Isa isa, ReadOnlySpan<byte> x, int rows, QParams xParams, Span<byte> output, int threads) =>
        Int8Gemm.MultiplyToByte(isa, x, rows, xParams, Weights, Bias, Output, FusedActivation.None, output, threads);
}
