using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>fuse, prepare, calibrate, convert, on a small model from end to end.</summary>
public class StaticFlowTests
{
    [Fact]
    public void A_converted_model_computes_in_int8_close_to_the_float_model()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3);
        using var model = new Net();
        model.eval();
        model.qconfig = quantization.get_default_qconfig();
        var data = randn(64, 20, generator: random);

        using var fused = quantization.fuse_modules(model, ["fc1", "relu"]);
        using var prepared = quantization.prepare(fused);
        using var expected = model.call(data);
        Assert.Equal(expected, prepared.call(data)); // observed, not changed
        using var int8 = quantization.convert(prepared);

        Assert.IsType<Quantize>(int8.Quant);
        Assert.IsType<QuantizedLinear>(int8.Fc1);
        Assert.IsType<Identity>(int8.Relu);
        Assert.IsType<QFunctional>(int8.Skip);
        Assert.IsType<DeQuantize>(int8.Dequant);
        var actual = int8.call(data);
        Assert.Equal(ScalarType.Float32, actual.dtype);
        var error = (actual - expected).abs().max().item<float>();
        Assert.InRange(error, 0, 0.05f * expected.abs().max().item<float>());
        Assert.True(error > 0); // it does compute in 8 bits
        Assert.Equal(model.call(data), expected); // the float model is what it was
    }

    [Fact]
    public void A_prepared_model_keeps_the_names_of_its_state()
    {
        using var model = new Net();
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        var names = prepared.state_dict().Keys.ToList();
        Assert.Superset(model.state_dict().Keys.ToHashSet(), names.ToHashSet());
        Assert.Contains("fc1.activation_post_process.min_val", names);
        Assert.Contains("quant.activation_post_process.histogram", names);
        Assert.DoesNotContain(names, name => name.Contains("module", StringComparison.Ordinal));
        Assert.Equal(model.named_parameters().Select(p => p.name), prepared.named_parameters().Select(p => p.name));
    }

    [Fact]
    public void Saving_and_loading_a_converted_model_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var model = new Net();
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        var data = randn(8, 20);
        prepared.call(data);
        using var int8 = quantization.convert(prepared);
        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var loaded = quantization.load(new Net(), file);
        Assert.Equal(int8.call(data), loaded.call(data));
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(20, 20);
        private readonly nn.Module<Tensor, Tensor> relu = nn.ReLU();
        private readonly FloatFunctional skip = new();
        private readonly nn.Module<Tensor, Tensor> fc2 = nn.Linear(20, 5);
        private readonly DeQuantStub dequant = new();

        public Net() : base(nameof(Net)) => RegisterComponents();

        public QuantStub Quant => quant;

        public nn.Module<Tensor, Tensor> Fc1 => fc1;

        public nn.Module<Tensor, Tensor> Relu => relu;

        public FloatFunctional Skip => skip;

        public DeQuantStub Dequant => dequant;

        public override Tensor forward(Tensor input)
        {
            var x = quant.call(input);
            return dequant.call(fc2.call(skip.add(x, relu.call(fc1.call(x)))));
        }
    }
}
