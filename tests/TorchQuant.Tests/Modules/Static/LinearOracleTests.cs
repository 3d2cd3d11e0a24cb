using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>A linear layer and the number of its rows; the numbers follow from the seed alone.</summary>
public sealed record LinearShape(int Seed, int Rows, int InFeatures, int OutFeatures, WeightScheme Scheme, bool Bias, bool Relu);

/// <summary>QuantizedLinear against quantized::linear and quantized::linear_relu (FBGEMM), the integers exactly.</summary>
public sealed class LinearOracleTests : IDisposable
{
    private readonly jit.ScriptModule _oracle = StaticOracle.Load();

    public void Dispose() => _oracle.Dispose();

    public static Arbitrary<LinearShape> Shapes() => (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from rows in Gen.Frequency((2, Gen.Constant(1)), (3, Gen.Choose(1, 40)))
        from inFeatures in Gen.Frequency((1, Gen.Constant(1)), (4, Gen.Choose(1, 70)), (1, Gen.Choose(500, 700)))
        from outFeatures in Gen.Frequency((1, Gen.Constant(1)), (4, Gen.Choose(1, 70)), (1, Gen.Choose(200, 300)))
        from scheme in Gen.Elements(Enum.GetValues<WeightScheme>())
        from bias in Gen.Elements(true, true, false)
        from relu in Gen.Elements(true, false)
        select new LinearShape(seed, rows, inFeatures, outFeatures, scheme, bias, relu)).ToArbitrary();

    [Property(Arbitrary = [typeof(LinearOracleTests)], MaxTest = 200)]
    public void Every_code_equals_FBGEMM_s(LinearShape shape)
    {
        using var scope = NewDisposeScope();
        Check(shape, Layer(shape));
    }

    [Property(Arbitrary = [typeof(LinearOracleTests)], MaxTest = 200)]
    public void Sums_in_the_middle_of_two_codes_are_rounded_as_FBGEMM_rounds_them(LinearShape shape)
    {
        using var scope = NewDisposeScope();
        var layer = Layer(shape);
        var x = layer.Codes.to(ScalarType.Float64) - tensor((double)layer.InputParams.ZeroPoint);
        var weight = layer.Weight.to(ScalarType.Float64) - layer.ZeroPoints.reshape(-1, 1);
        Check(shape, layer.AtTies([.. x.matmul(weight.t())[-1].data<double>()]));
    }

    private static LayerCase Layer(LinearShape shape) => new(
        shape.Seed, [shape.Rows, shape.InFeatures], [shape.OutFeatures, shape.InFeatures], shape.OutFeatures, shape.Scheme, shape.Bias, !StaticOracle.IsExactForAllWeights);

    private void Check(LinearShape shape, LayerCase layer)
    {
        using var module = layer.Module(nameof(QuantizedLinear), ("activation", shape.Relu ? "relu" : "none"));
        var actual = module.call(layer.Input());
        CodeAssert.Equal(_oracle.Run("linear", layer, shape.Relu), actual);
        Assert.Equal((layer.OutputParams.Scale, layer.OutputParams.ZeroPoint), ((float)actual.q_scale(), (int)actual.q_zero_point()));
    }
}
