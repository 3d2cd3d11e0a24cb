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
        CodeAssert.Equal(Requantized(ConvolutionSums.Of(sample, layer), layer, sample), module.call(layer.Input()));
    });

    /// <summary>Whether the padded input is as large as the kernel.</summary>
    private static bool Covers(ConvolutionCase sample) =>
        sample.Transposed || Enumerable.Range(0, sample.Dimensions).All(d => sample.Size[d] + (2 * sample.Padding[d]) > sample.Dilation[d] * (sample.Kernel[d] - 1));

    /// <summary>FBGEMM's requantization in float32; per tensor a bias is multiplied by a reciprocal and added at once, per channel it is divided and added.</summary>
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
                raw = scales.Length == 1 ? MathF.FusedMultiplyAdd(bias[channel], 1 / scale, raw) : raw + (bias[channel] / scale);
            var code = MathF.Round(raw * (scale / layer.OutputParams.Scale)) + layer.OutputParams.ZeroPoint;
            codes[i] = (byte)Math.Clamp(code, sample.Relu ? layer.OutputParams.ZeroPoint : 0, 255);
        }
        return tensor(codes, sums.shape);
    }
}
