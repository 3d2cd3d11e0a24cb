using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>What PyTorch's eager mode has besides prepare and convert, under its names.</summary>
public sealed class StaticApiTests : IDisposable
{
    private static readonly QConfig s_qconfig = quantization.get_default_qconfig();
    private readonly Tensor _x = randn(16, 6, generator: new Generator(1));

    public void Dispose() => _x.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Quantize_is_eval_prepare_run_convert(bool inplace)
    {
        var model = new Residual { qconfig = s_qconfig };
        model.train();
        using var int8 = quantization.quantize(model, prepared =>
        {
            Assert.False(prepared.training);
            prepared.call(_x).Dispose();
        }, inplace: inplace);
        Assert.Equal(inplace, ReferenceEquals(model, int8));
        Assert.IsType<QuantizedLinear>(int8.fc1);
        if (!inplace)
        {
            Assert.IsType<Linear>(model.fc1);
            Assert.True(model.training);
        }
        model.Dispose();
    }

    [Fact]
    public void Add_quant_dequant_wraps_the_layers_of_a_model_without_stubs()
    {
        using var model = Eval(nn.Sequential(("fc1", nn.Linear(6, 5)), ("drop", nn.Dropout()), ("fc2", nn.Linear(5, 4))));
        model.qconfig = s_qconfig;
        using var expected = model.call(_x);
        Assert.Same(model, quantization.add_quant_dequant(model));
        Assert.Equal(["fc1.quant", "fc1.module", "fc1.dequant"], model.named_modules().Where(m => m.name.StartsWith("fc1.", StringComparison.Ordinal)).Select(m => m.name).Order(StringComparer.Ordinal).OrderBy(n => n.EndsWith("dequant", StringComparison.Ordinal)).ThenByDescending(n => n));
        Assert.Same(s_qconfig, model.named_modules().Single(m => m.name == "fc2").module.qconfig);
        quantization.add_quant_dequant(model); // what is wrapped stays so
        Assert.Equal(2, model.modules().Count(m => m is QuantWrapper));
        quantization.prepare(model, inplace: true);
        model.call(_x).Dispose();
        quantization.convert(model, inplace: true);
        using var actual = model.call(_x);
        Assert.Equal(2, model.modules().Count(m => m is QuantizedLinear));
        using var error = (actual - expected).abs().max();
        Assert.InRange(error.item<float>(), 1e-6f, 0.1f);
    }

    [Fact]
    public void Propagate_qconfig_sets_what_prepare_would_decide()
    {
        using var model = new Residual();
        quantization.propagate_qconfig_(model, new QConfigSpec { [""] = s_qconfig, ["fc2"] = quantization.default_qconfig });
        Assert.Same(s_qconfig, model.fc1.qconfig);
        Assert.Same(s_qconfig, model.qconfig);
        Assert.Same(quantization.default_qconfig, model.fc2.qconfig);
        var e = Assert.Throws<ArgumentException>(() => quantization.propagate_qconfig_(model, new QConfigSpec { ["fc3"] = s_qconfig }));
        Assert.Contains("qconfig_dict: no module has the name \"fc3\"", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Swap_module_gives_what_convert_puts_in_the_place()
    {
        using var prepared = Calibrated(new Residual());
        using var int8 = quantization.convert(prepared);
        using var swapped = quantization.swap_module(prepared.fc1);
        Assert.Equal(int8.fc1.ToString(), swapped.ToString());
        Assert.IsType<ObservedModule>(prepared.fc1);
        using var plain = nn.ReLU();
        Assert.Same(plain, quantization.swap_module(plain));
    }

    [Fact]
    public void A_mapping_decides_by_name_then_pattern_then_type_then_for_all()
    {
        using var model = Eval(nn.Sequential(("quant", new QuantStub()), ("block1", nn.Linear(6, 6)), ("block2", nn.Linear(6, 6)), ("head", nn.Linear(6, 6)), ("dequant", new DeQuantStub())));
        var (byType, byPattern) = (quantization.default_qconfig, quantization.default_per_channel_qconfig);
        var mapping = quantization.get_default_qconfig_mapping("qnnpack").set_object_type(typeof(Linear), byType).set_module_name_regex(@"block\d", byPattern).set_module_name("block2", null);
        using var prepared = quantization.prepare(model, mapping);
        QConfig? Of(string name) => prepared.named_modules().Single(m => m.name == name).module.qconfig;
        Assert.Same(quantization.get_default_qconfig("qnnpack"), Of("quant"));
        Assert.Same(byPattern, Of("block1"));
        Assert.Null(Of("block2"));
        Assert.Same(byType, Of("head"));
        var e = Assert.Throws<ArgumentException>(() => quantization.prepare(model, new QConfigMapping().set_global(s_qconfig).set_module_name_regex("lock", null)));
        Assert.Contains("no module has a name that matches the pattern \"lock\"", e.Message, StringComparison.Ordinal);
        Assert.ThrowsAny<ArgumentException>(() => new QConfigMapping().set_module_name_regex("(", null));
    }

    [Fact]
    public void Convert_removes_qconfigs_unless_told_otherwise()
    {
        using var removed = quantization.convert(Calibrated(new Residual()), inplace: true);
        Assert.All(ModuleTree.Walk(removed), m => Assert.Null(m.Module.qconfig));
        using var kept = quantization.convert(Calibrated(new Residual()), inplace: true, remove_qconfig: false);
        Assert.Same(s_qconfig, kept.qconfig);
    }

    [Fact]
    public void A_converted_model_has_no_hooks_of_ours_and_keeps_the_users()
    {
        var calls = 0;
        using var model = Eval(new Residual());
        model.register_forward_hook((_, _, _) => null!);
        ((nn.Module<Tensor, Tensor>)model.fc1).register_forward_hook((_, _, y) =>
        {
            calls++;
            return y;
        });
        var prepared = Calibrated(model);
        Assert.Equal(1, calls);
        using var int8 = quantization.convert(prepared);
        var before = calls;
        int8.call(_x).Dispose();
        Assert.Equal(before + 1, calls);
        Assert.EndsWith("hooks=1 qconfig=unset", ModelSnapshot.Of(int8)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_cannot_be_copied_is_prepared_by_its_factory()
    {
        using var model = new Uncopyable();
        model.eval();
        model.Fc.qconfig = s_qconfig;
        model.Quant.qconfig = s_qconfig;
        Assert.Throws<ModuleCopyException>(() => quantization.prepare(model));
        using var prepared = quantization.prepare(model, static () => new Uncopyable());
        using var expected = model.call(_x);
        using var observed = prepared.call(_x);
        Assert.Equal(expected, observed);
        Assert.IsType<Linear>(model.Fc);
        quantization.convert(prepared, inplace: true, check: false);
        Assert.IsType<QuantizedLinear>(prepared.Fc);
    }

    [Fact]
    public void Fields_of_sealed_types_are_observed_and_converted_by_hooks()
    {
        using var model = Eval(new Declared());
        using var prepared = quantization.prepare(model, s_qconfig, hook_fallback: true);
        using var expected = model.call(_x);
        using var observed = prepared.call(_x);
        Assert.Equal(expected, observed);
        using var copy = ModuleTree.Copy(prepared);
        Assert.Equal(ModuleTree.Walk(prepared).Select(m => m.Path), ModuleTree.Walk(copy).Select(m => m.Path));
        using var int8 = quantization.convert(prepared);
        Assert.Equal(2, ModuleTree.Walk(int8).Count(m => m.Module is QuantizedLinear));
        using var actual = int8.call(_x);
        using var error = (actual - expected).abs().max();
        Assert.InRange(error.item<float>(), 1e-6f, 0.1f);
        using var ofCopy = quantization.convert(copy, inplace: true);
        using var same = ofCopy.call(_x);
        Assert.Equal(actual, same);
        using var other = quantization.prepare(Eval(new Declared()), s_qconfig, inplace: true, hook_fallback: true);
        other.call(_x).Dispose();
        quantization.convert(other, inplace: true);
        other.call(_x).Dispose();
    }

    private Residual Calibrated(Residual model)
    {
        var prepared = quantization.prepare(Eval(model), s_qconfig, inplace: true);
        prepared.call(_x).Dispose();
        return prepared;
    }

    private static T Eval<T>(T model) where T : nn.Module
    {
        model.eval();
        return model;
    }

    /// <summary>Holds an attention, whose options are in native code.</summary>
    private sealed class Uncopyable : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly nn.Module<Tensor, Tensor> fc = nn.Linear(6, 6);
        private readonly DeQuantStub dequant = new();
        private readonly TransformerEncoderLayer attention = nn.TransformerEncoderLayer(6, 2);

        public Uncopyable() : base(nameof(Uncopyable)) => RegisterComponents();

        public nn.Module<Tensor, Tensor> Fc => fc;

        public QuantStub Quant => quant;

        public override Tensor forward(Tensor input) => dequant.call(fc.call(quant.call(input)));
    }
}
