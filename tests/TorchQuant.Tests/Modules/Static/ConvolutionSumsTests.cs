using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>
/// Convolutions of all kinds, those among them that libtorch has no int8 operator for (padding modes, transposed per channel), against libtorch's convolution of the integers as float64, which is exact,
/// and FBGEMM's requantization written down plainly.
/// </summary>
public sealed class ConvolutionSumsTests
{
    [Property(MaxTest = 200)]
    public Property Every_code_of_a_convolution_is_the_requantized_sum() => All(dimensions =>
        from sample in ConvolutionCases.Plain(dimensions)
        from mode in Gen.Elements("zeros", "reflect", "replicate", "circular")
            // A mirror has no elements beyond the far border, and a circle none beyond its whole length.
        select sample with { PaddingMode = mode, Padding = [.. sample.Padding.Select((p, d) => mode switch { "reflect" => Math.Min(p, sample.Size[d] - 1), "circular" => Math.Min(p, sample.Size[d]), _ => p })] });

    [Property(MaxTest = 200)]
    public Property Every_code_of_a_transposed_convolution_is_the_requantized_sum() => All(ConvolutionCases.Transposed);

    private static Property All(Func<int, Gen<ConvolutionCase>> cases) => Prop.ForAll(Gen.OneOf(cases(1), cases(2), cases(3)).Where(Covers).ToArbitrary(), sample =>
    {
        using var scope = NewDisposeScope();
        var layer = sample.Layer(smallWeights: false);
        using var module = sample.Module(layer);
        CodeAssert.Equal(Requantized(Sums(sample, layer), layer, sample), module.call(layer.Input()));
    });

    /// <summary>Whether the padded input is as large as the kernel.</summary>
    private static bool Covers(ConvolutionCase sample) =>
        sample.Transposed || Enumerable.Range(0, sample.Dimensions).All(d => sample.Size[d] + (2 * sample.Padding[d]) > sample.Dilation[d] * (sample.Kernel[d] - 1));

    /// <summary>The sums of (x - zx) * (w - zw) [batch, channels, spatial...] as float64.</summary>
    internal static Tensor Sums(ConvolutionCase sample, LayerCase layer)
    {
        var codes = layer.Codes.to(ScalarType.Float64) - layer.InputParams.ZeroPoint;
        var zeroPoints = layer.ZeroPoints.to(ScalarType.Float64);
        var weight = layer.Weight.to(ScalarType.Float64);
        long[] ones = [.. sample.Kernel.Select(_ => 1L)];
        if (sample.Transposed && layer.ZeroPoints.numel() > 1)
            weight = (weight.reshape([sample.Groups, sample.GroupInputs, sample.GroupOutputs, .. ConvolutionCase.Longs(sample.Kernel)]) - zeroPoints.reshape([sample.Groups, 1, sample.GroupOutputs, .. ones])).reshape(weight.shape);
        else
            weight -= zeroPoints.reshape([-1, 1, .. ones]);
        var (stride, padding, dilation) = (ConvolutionCase.Longs(sample.Stride), ConvolutionCase.Longs(sample.Padding), ConvolutionCase.Longs(sample.Dilation));
        if (sample.Transposed)
        {
            var outputPadding = ConvolutionCase.Longs(sample.OutputPadding);
            return sample.Dimensions switch
            {
                1 => nn.functional.conv_transpose1d(codes, weight, null, stride[0], padding[0], outputPadding[0], dilation[0], sample.Groups),
                2 => nn.functional.conv_transpose2d(codes, weight, null, stride, padding, outputPadding, dilation, sample.Groups),
                _ => nn.functional.conv_transpose3d(codes, weight, null, stride, padding, outputPadding, dilation, sample.Groups),
            };
        }

        codes = Padded(codes, sample);
        long[] none = [.. sample.Kernel.Select(_ => 0L)];
        return sample.Dimensions switch
        {
            1 => nn.functional.conv1d(codes, weight, null, stride[0], 0, dilation[0], sample.Groups),
            2 => nn.functional.conv2d(codes, weight, null, stride, none, dilation, sample.Groups),
            _ => nn.functional.conv3d(codes, weight, null, stride, none, dilation, sample.Groups),
        };
    }

    /// <summary>Padded as numpy.pad does, one dimension after the other.</summary>
    private static Tensor Padded(Tensor codes, ConvolutionCase sample)
    {
        for (var d = 0; d < sample.Dimensions; d++)
        {
            var (size, padding) = (sample.Size[d], sample.Padding[d]);
            var positions = Enumerable.Range(-padding, size + (2 * padding)).ToArray();
            long[] sources = [.. positions.Select(p => (long)(sample.PaddingMode switch
            {
                "reflect" => p < 0 ? -p : p >= size ? (2 * (size - 1)) - p : p,
                "circular" => ((p % size) + size) % size,
                _ => Math.Clamp(p, 0, size - 1),
            }))];
            codes = codes.index_select(d + 2, tensor(sources));
            if (sample.PaddingMode == "zeros")
                codes *= tensor(positions.Select(p => p >= 0 && p < size ? 1.0 : 0).ToArray()).reshape([-1, .. Enumerable.Repeat(1L, sample.Dimensions - 1 - d)]);
        }
        return codes;
    }

    /// <summary>FBGEMM's requantization in float32; a bias is multiplied by a reciprocal per tensor and divided per channel.</summary>
    private static Tensor Requantized(Tensor sums, LayerCase layer, ConvolutionCase sample)
    {
        var source = sums.contiguous().data<double>().ToArray();
        var (scales, bias) = (layer.Scales.data<float>().ToArray(), layer.Bias?.data<float>().ToArray());
        var perChannel = (int)(sums.numel() / (sums.shape[0] * sums.shape[1]));
        var codes = new byte[source.Length];
        for (var i = 0; i < codes.Length; i++)
        {
            var channel = i / perChannel % sample.OutChannels;
            var scale = layer.InputParams.Scale * scales[scales.Length == 1 ? 0 : channel];
            var raw = (float)(int)source[i];
            if (bias is not null)
                raw += scales.Length == 1 ? bias[channel] * (1 / scale) : bias[channel] / scale;
            var code = MathF.Round(raw * (scale / layer.OutputParams.Scale)) + layer.OutputParams.ZeroPoint;
            codes[i] = (byte)Math.Clamp(code, sample.Relu ? layer.OutputParams.ZeroPoint : 0, 255);
        }
        return tensor(codes, sums.shape);
    }
}
