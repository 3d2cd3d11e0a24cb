using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>
/// QuantizedConvolution and QuantizedConvTranspose against libtorch's quantized::conv1d, conv2d, conv3d, their forms with a ReLU, and conv_transpose1d, 2d and 3d: FBGEMM's integers exactly.
/// </summary>
public sealed class ConvolutionOracleTests : IDisposable
{
    private readonly jit.ScriptModule _oracle = StaticOracle.Load();

    public void Dispose() => _oracle.Dispose();

    [Property(MaxTest = 200)]
    public Property Every_code_of_a_convolution_equals_FBGEMM_s() => All(Convolutions, static (_, layer) => layer);

    [Property(MaxTest = 200)]
    public Property Every_code_of_a_transposed_convolution_equals_FBGEMM_s() => All(Transposed, static (_, layer) => layer);

    [Property(MaxTest = 200)]
    public Property Sums_in_the_middle_of_two_codes_are_rounded_as_FBGEMM_rounds_them() => All(Gen.OneOf(Convolutions, Transposed), static (sample, layer) =>
    {
        var sums = ConvolutionSums.Of(sample, layer).reshape(sample.Batch, sample.OutChannels, -1);
        return layer.AtTies([.. sums[0, .., -1].contiguous().data<double>()]);
    });

    private static Gen<ConvolutionCase> Convolutions { get; } = Gen.OneOf(ConvolutionCases.Plain(1), ConvolutionCases.Plain(2), ConvolutionCases.Plain(3), ConvolutionCases.Depthwise());

    private static Gen<ConvolutionCase> Transposed { get; } = Gen.OneOf(ConvolutionCases.Transposed(1), ConvolutionCases.Transposed(2), ConvolutionCases.Transposed(3)).Select(sample => sample with
    {
        // Per channel is what libtorch refuses: ConvolutionSumsTests has it.
        Scheme = sample.Scheme is WeightScheme.PerTensorAffine or WeightScheme.PerChannelAffine ? WeightScheme.PerTensorAffine : WeightScheme.PerTensorSymmetric,
    });

    private Property All(Gen<ConvolutionCase> cases, Func<ConvolutionCase, LayerCase, LayerCase> change) => Prop.ForAll(cases.ToArbitrary(), sample =>
    {
        using var scope = NewDisposeScope();
        var layer = change(sample, sample.Layer(smallWeights: sample.IsDepthwise || !StaticOracle.IsExactForAllWeights));
        using var module = sample.Module(layer);
        object[] relu = sample.Transposed ? [] : [sample.Relu];
        CodeAssert.Equal(_oracle.Run(sample.Method, layer, [sample.ArchiveOptions, .. relu]), module.call(layer.Input()));
    });
}
