namespace TorchQuant.Benchmarks.Convolution;

/// <summary>A square convolution followed by ReLU, padded so that stride 1 keeps the size.</summary>
/// <param name="Batch">The number of images.</param>
/// <param name="In">Channels of the input.</param>
/// <param name="Out">Channels of the output.</param>
/// <param name="Kernel">The kernel's size.</param>
/// <param name="Stride">The stride.</param>
/// <param name="Size">Height and width of the input.</param>
/// <param name="Groups">Groups of channels.</param>
internal sealed record ConvShape(int Batch, int In, int Out, int Kernel, int Stride, int Size, int Groups = 1)
{
    public int Padding => Kernel / 2;

    public int OutSize => (Size + 2 * Padding - Kernel) / Stride + 1;

    public int InPerGroup => In / Groups;

    public double MultiplyAdds => (double)Batch * OutSize * OutSize * Out * InPerGroup * Kernel * Kernel;

    public int InputLength => Batch * Size * Size * In;

    public int OutputLength => Batch * OutSize * OutSize * Out;

    public int WeightLength => Out * InPerGroup * Kernel * Kernel;

    /// <summary>Weights with a scale and a bias for each output, input and output once.</summary>
    public double Bytes => WeightLength + 8.0 * Out + InputLength + OutputLength;

    public bool IsDepthwise => Groups == In && Groups > 1;

    public override string ToString() =>
        $"N{Batch} {(IsDepthwise ? "dw " : "")}{Kernel}x{Kernel}{(Stride > 1 ? $" s{Stride}" : "")} {(IsDepthwise ? In : $"{In}->{Out}")} @{Size}";
}
