using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Elementwise;

/// <summary>What is kept of the modules: the whole flow, files, copies, state dictionaries, and the names they print.</summary>
public class ElementwiseStateTests
{
    public static TheoryData<string> Names => [.. ElementwiseCase.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Prepared_converted_saved_loaded_and_copied_models_compute_the_same_bits(string name)
    {
        using var scope = NewDisposeScope();
        var c = ElementwiseCase.Of(name);
        var data = randn(c.Shape(new Random(3))) * 3;
        using var model = Model(c);
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        prepared.call(data);
        using var int8 = quantization.convert(prepared);
        Assert.IsAssignableFrom<QuantizedModule>(ModuleTree.Walk(int8).First(m => m.Path == "act").Module);
        var expected = int8.call(data);

        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var fresh = Model(c);
        using var loaded = quantization.load(fresh, file);
        Assert.Equal(expected, loaded.call(data));
        using var copy = ModuleTree.Copy(int8);
        Assert.Equal(expected, copy.call(data));
        var error = (expected - model.call(data)).abs().max().item<float>();
        Assert.InRange(error, 0, 0.1f + (0.05f * expected.abs().max().item<float>()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_state_dict_round_trips_between_modules(string name)
    {
        using var scope = NewDisposeScope();
        var c = ElementwiseCase.Of(name);
        using var module = c.Float();
        using var first = ElementwiseCase.Convert(module, new QParams(0.1f, 30));
        using var second = ElementwiseCase.Convert(module, new QParams(0.7f, 3));
        var x = c.Input(5, new QParams(0.05f, 100));
        var expected = ElementwiseOracle.Codes(first.call(x));
        var state = first.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        Assert.Equal(((IQuantizedModule)first).WeightBytes, state.Values.Sum(value => value.numel() * value.ElementSize));
        using (no_grad())
            second.load_state_dict(state);
        var y = second.call(x);
        Assert.Equal(first.call(x).q_scale(), y.q_scale());
        Assert.Equal(expected, ElementwiseOracle.Codes(y));
    }

    [Fact]
    public void Changed_weights_take_effect_with_the_next_forward()
    {
        using var scope = NewDisposeScope();
        foreach (var name in new[] { "BatchNorm2d", "GroupNorm", "PReLU 6", "PReLU" })
        {
            var c = ElementwiseCase.Of(name);
            using var module = c.Float();
            using var int8 = ElementwiseCase.Convert(module, new QParams(0.05f, 100));
            var x = quantize_per_tensor(randn(2, 6, 4, 4), 0.05, 100, ScalarType.QUInt8);
            var before = ElementwiseOracle.Codes(int8.call(x));
            var state = int8.state_dict();
            using (no_grad())
                state["weight"].mul_(-3);
            var after = ElementwiseOracle.Codes(int8.call(x));
            Assert.NotEqual(before, after);
        }
    }

    [Theory]
    [InlineData("Hardswish", "QuantizedHardswish(scale=0.5, zero_point=3)")]
    [InlineData("ELU 0.3", "QuantizedELU(alpha=0.3, scale=0.5, zero_point=3)")]
    [InlineData("LeakyReLU", "QuantizedLeakyReLU(negative_slope=0.01, scale=0.5, zero_point=3)")]
    [InlineData("GELU tanh", "QuantizedGELU(approximate=tanh, scale=0.5, zero_point=3)")]
    [InlineData("ReLU6", "QuantizedReLU6()")]
    [InlineData("Upsample nearest 2d", "QuantizedUpsample(size=(7, 5), mode=nearest)")]
    [InlineData("Upsample trilinear", "QuantizedUpsample(scale_factor=(2, 2, 2), mode=trilinear)")]
    [InlineData("AdaptiveMaxPool2d", "QuantizedAdaptiveMaxPool2d(output_size=(3, 2))")]
    [InlineData("AdaptiveMaxPool1d", "QuantizedAdaptiveMaxPool1d(output_size=(3,))")]
    [InlineData("PReLU 6", "QuantizedPReLU(num_parameters=6, scale=0.5, zero_point=3)")]
    [InlineData("Softmax -1", "QuantizedSoftmax(dim=-1, scale=0.5, zero_point=3)")]
    [InlineData("BatchNorm2d", "QuantizedBatchNorm2d(6, eps=1e-05, scale=0.5, zero_point=3)")]
    [InlineData("BNReLU3d", "QuantizedBNReLU3d(6, eps=1e-05, scale=0.5, zero_point=3)")]
    [InlineData("LayerNorm", "QuantizedLayerNorm((12,), eps=1e-05, scale=0.5, zero_point=3)")]
    [InlineData("LayerNorm plain", "QuantizedLayerNorm((3, 4), eps=1e-05, scale=0.5, zero_point=3)")]
    [InlineData("GroupNorm", "QuantizedGroupNorm(3, 6, eps=1e-05, scale=0.5, zero_point=3)")]
    [InlineData("GroupNorm plain", "QuantizedGroupNorm(2, eps=1e-05, scale=0.5, zero_point=3)")]
    [InlineData("InstanceNorm1d", "QuantizedInstanceNorm1d(6, eps=1e-05, scale=0.5, zero_point=3)")]
    public void Modules_print_as_PyTorchs_do_with_their_qparams(string name, string text)
    {
        using var int8 = ElementwiseCase.Convert(ElementwiseCase.Of(name).Float(), new QParams(0.5f, 3));
        Assert.Equal(text, int8.ToString());
    }

    [Theory]
    [InlineData("Sigmoid", 1f / 256, 0)]
    [InlineData("Hardsigmoid", 1f / 256, 0)]
    [InlineData("Softmax 1", 1f / 256, 0)]
    [InlineData("Tanh", 2f / 256, 128)]
    public void What_has_a_fixed_range_has_PyTorchs_fixed_qparams(string name, float scale, int zeroPoint)
    {
        using var scope = NewDisposeScope();
        using var model = Model(ElementwiseCase.Of(name));
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        prepared.call(randn(2, 3, 4, 2) * 100);
        using var int8 = quantization.convert(prepared);
        var converted = (StaticQuantizedModule)ModuleTree.Walk(int8).First(m => m.Path == "act").Module;
        Assert.Equal((scale, zeroPoint), (converted.scale, converted.zero_point));
    }

    private static Sequential Model(ElementwiseCase c)
    {
        var model = nn.Sequential(("quant", new QuantStub()), ("act", c.Make()), ("dequant", new DeQuantStub()));
        model.eval();
        return model;
    }
}
