using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>is_reference: the same codes, by float arithmetic.</summary>
public class ReferenceModuleTests
{
    [Property(EndSize = 1_000_000, MaxTest = 60)]
    public void Int8_and_reference_differ_by_at_most_one_code(int seed)
    {
        using var scope = NewDisposeScope();
        var random = new Random(seed);
        var (features, outputs) = (random.Next(1, 70), random.Next(1, 40));
        TorchSharp.torch.random.manual_seed(seed);
        var fc = nn.Linear(features, outputs, hasBias: random.Next(2) == 0);
        nn.Module<Tensor, Tensor> layer = random.Next(3) switch { 0 => new LinearReLU(fc, nn.ReLU()), 1 => new LinearReLU6(fc, nn.ReLU6()), _ => fc };
        using var model = nn.Sequential(("quant", new QuantStub()), ("layer", layer));
        model.eval();
        var qconfig = random.Next(3) switch { 0 => quantization.default_qconfig, 1 => quantization.get_default_qconfig("qnnpack"), _ => quantization.get_default_qconfig() };
        using var prepared = quantization.prepare(model, qconfig);
        var x = randn(random.Next(1, 20), features) * Math.Exp((random.NextDouble() * 8) - 4);
        prepared.call(x);
        using var int8 = quantization.convert(prepared);
        using var reference = quantization.convert(prepared, is_reference: true);
        var kept = Assert.IsType<ReferenceModule>(reference.named_children().Single(c => c.name == "layer").module);
        Assert.Equal(layer.GetType(), kept.module.GetType());

        var (actual, expected) = (int8.call(x), reference.call(x));
        Assert.Equal((expected.q_scale(), expected.q_zero_point()), (actual.q_scale(), actual.q_zero_point()));
        var difference = (actual.int_repr().to(ScalarType.Int32) - expected.int_repr().to(ScalarType.Int32)).abs().max().item<int>();
        Assert.InRange(difference, 0, 1);
    }

    [Fact]
    public void The_weights_of_the_reference_are_the_int8_weights()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("quant", new QuantStub()), ("fc", nn.Linear(6, 4)));
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        prepared.call(randn(5, 6));
        using var reference = quantization.convert(prepared, is_reference: true);
        using var int8 = quantization.convert(prepared);
        var state = int8.state_dict();
        var expected = state["fc.weight"].to(ScalarType.Float32) * state["fc.weight_scale"].unsqueeze(1);
        Assert.Equal(expected, ((Linear)((ReferenceModule)reference.named_children().Single(c => c.name == "fc").module).module).weight!);
        Assert.False(((Linear)((ObservedModule)prepared.named_children().Single(c => c.name == "fc").module).module).weight!.Equals(expected)); // the float weights are untouched
    }

    [Fact]
    public void A_reference_names_itself_where_a_stub_is_missing()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("quant", new QuantStub()), ("fc", nn.Linear(6, 4)));
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        prepared.call(randn(5, 6));
        using var reference = quantization.convert(prepared, is_reference: true);
        var module = (ReferenceModule)reference.named_children().Single(c => c.name == "fc").module;
        Assert.Contains("fc (ReferenceModule) takes a quantized tensor, found Float32", Assert.Throws<ArgumentException>(() => module.call(randn(5, 6))).Message, StringComparison.Ordinal);
    }
}
