using FsCheck;
using FsCheck.Fluent;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>A convolution, transposed or not, with its input; the numbers follow from the seed alone. One element for each spatial dimension.</summary>
public sealed record ConvolutionCase(
    int Seed, bool Transposed, int Batch, int Groups, int GroupInputs, int GroupOutputs, int[] Size, int[] Kernel, int[] Stride, int[] Padding, int[] Dilation, int[] OutputPadding,
    WeightScheme Scheme, bool Bias, bool Relu, string PaddingMode = "zeros")
{
    public int Dimensions => Kernel.Length;

    /// <summary>Whether FBGEMM may take its kernels for depthwise layers, which add two products in 16 bits on all processors.</summary>
    public bool IsDepthwise => GroupInputs == 1 && GroupOutputs == 1;

    public int InChannels => Groups * GroupInputs;

    public int OutChannels => Groups * GroupOutputs;

    /// <summary>The archive's method: <c>conv2d</c>.</summary>
    public string Method => $"conv{(Transposed ? "_transpose" : "")}{Dimensions}d";

    /// <summary>What the archive's methods take as options.</summary>
    public Tensor ArchiveOptions => tensor(new[] { Stride, Padding, Dilation, OutputPadding, [.. Kernel.Select(_ => Groups)] }.SelectMany(n => n).Select(n => (long)n).ToArray(), 5, Dimensions);

    internal LayerCase Layer(bool smallWeights) => new(
        Seed, [Batch, InChannels, .. Longs(Size)], Transposed ? [InChannels, GroupOutputs, .. Longs(Kernel)] : [OutChannels, GroupInputs, .. Longs(Kernel)], OutChannels, Scheme, Bias, smallWeights);

    internal StaticQuantizedModule Module(LayerCase layer)
    {
        (string, string)[] options =
        [
            ("activation", Relu ? "relu" : "none"), ("stride", Text(Stride)), ("padding", Text(Padding)), ("padding_end", Text(Padding)), ("dilation", Text(Dilation)), ("groups", $"{Groups}"),
            ("padding_mode", PaddingMode), ("output_padding", Text(OutputPadding)),
        ];
        return layer.Module($"QuantizedConv{(Transposed ? "Transpose" : "")}{Dimensions}d", options);
    }

    public override string ToString() =>
        $"seed {Seed}, {Method}, {Batch} x {InChannels} -> {OutChannels}, size {Text(Size)}, kernel {Text(Kernel)}, stride {Text(Stride)}, padding {Text(Padding)} {PaddingMode}, dilation {Text(Dilation)}, "
        + $"output padding {Text(OutputPadding)}, groups {Groups}, {Scheme}, bias {Bias}, ReLU {Relu}";

    internal static long[] Longs(int[] numbers) => Array.ConvertAll(numbers, n => (long)n);

    private static string Text(int[] numbers) => string.Join(',', numbers);
}

/// <summary>Small convolutions of every kind: depthwise and grouped ones, with channels that are no multiples of anything.</summary>
internal static class ConvolutionCases
{
    /// <summary>Convolutions.</summary>
    /// <param name="dimensions">Spatial dimensions.</param>
    public static Gen<ConvolutionCase> Plain(int dimensions) =>
        from sample in Any(dimensions)
        from padding in Gen.Choose(0, 2).ArrayOf(dimensions)
        let size = Enumerable.Range(0, dimensions).Select(d => Math.Max(sample.Size[d], (sample.Dilation[d] * (sample.Kernel[d] - 1)) + 1 - (2 * padding[d]))).ToArray()
        select sample with { Size = size, Padding = padding };

    /// <summary>Depthwise layers as networks have them, for which FBGEMM has kernels of their own.</summary>
    public static Gen<ConvolutionCase> Depthwise() =>
        from sample in Any(2)
        from octets in Gen.Choose(1, 5)
        from kernel in Gen.Elements(3, 5)
        from stride in Gen.Choose(1, 2)
        select sample with
        {
            Groups = 8 * octets,
            GroupInputs = 1,
            GroupOutputs = 1,
            Kernel = [kernel, kernel],
            Padding = [kernel / 2, kernel / 2],
            Stride = [stride, stride],
            Dilation = [1, 1],
        };

    /// <summary>Transposed convolutions.</summary>
    /// <param name="dimensions">Spatial dimensions.</param>
    public static Gen<ConvolutionCase> Transposed(int dimensions) =>
        from sample in Any(dimensions)
        from padding in Gen.Choose(0, 2).ArrayOf(dimensions)
        from outputPadding in Gen.Choose(0, 2).ArrayOf(dimensions)
        let whole = Enumerable.Range(0, dimensions).Select(d => ((sample.Size[d] - 1) * sample.Stride[d]) + (sample.Dilation[d] * (sample.Kernel[d] - 1)) + 1).ToArray()
        select sample with
        {
            Transposed = true,
            Relu = false,
            Padding = [.. padding.Select((p, d) => Math.Min(p, (whole[d] - 1) / 2))],
            OutputPadding = [.. outputPadding.Select((p, d) => Math.Min(p, sample.Stride[d] - 1))],
        };

    private static Gen<ConvolutionCase> Any(int dimensions) =>
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from batch in Gen.Choose(1, 2)
        from channels in Gen.OneOf(
            from inputs in Gen.Choose(1, 40) from outputs in Gen.Choose(1, 40) select (Groups: 1, Inputs: inputs, Outputs: outputs),
            from groups in Gen.Choose(2, 4) from inputs in Gen.Choose(1, 9) from outputs in Gen.Choose(1, 9) select (Groups: groups, Inputs: inputs, Outputs: outputs),
            from groups in Gen.Choose(2, 40) select (Groups: groups, Inputs: 1, Outputs: 1))
        from size in Gen.Choose(1, dimensions == 1 ? 20 : dimensions == 2 ? 9 : 5).ArrayOf(dimensions)
        from kernel in Gen.Elements(1, 2, 3, 3, 3, dimensions == 3 ? 1 : 5).ArrayOf(dimensions)
        from stride in Gen.Elements(1, 1, 2, 3).ArrayOf(dimensions)
        from dilation in Gen.Elements(1, 1, 1, 2).ArrayOf(dimensions)
        from scheme in Gen.Elements(Enum.GetValues<WeightScheme>())
        from bias in Gen.Elements(true, true, false)
        from relu in Gen.Elements(true, false)
        let zeros = new int[dimensions]
        select new ConvolutionCase(seed, false, batch, channels.Groups, channels.Inputs, channels.Outputs, size, kernel, stride, zeros, dilation, zeros, scheme, bias, relu);
}
