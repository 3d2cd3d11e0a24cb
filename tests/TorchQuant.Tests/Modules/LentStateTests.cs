using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

/// <summary>state_dict, save, load and load_state_dict of models that hold quantized modules: the remarks of <see cref="IQuantizedModule"/>.</summary>
public class LentStateTests
{
    private static readonly string[] Keys = ["fc.bias", "fc.weight", "fc.weight_scale", "fc.weight_zero_point"];

    private sealed class Holder : nn.Module<Tensor, Tensor>
    {
        public readonly nn.Module<Tensor, Tensor> fc = Quantized();

        public Holder() : base(nameof(Holder)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc.call(input);
    }

    private static DynamicQuantizedLinear Quantized()
    {
        using var linear = nn.Linear(20, 10);
        return DynamicQuantizedLinear.from_float(linear, quantization.get_default_dynamic_qconfig(), "fc");
    }

    public static TheoryData<string> Holders => ["module", "Sequential"];

    private static nn.Module<Tensor, Tensor> Model(string kind) => kind == "module" ? new Holder() : nn.Sequential(("fc", Quantized()));

    [Theory]
    [MemberData(nameof(Holders))]
    public void State_dict_gives_plain_tensors_and_load_state_dict_changes_what_is_computed(string kind)
    {
        using var scope = NewDisposeScope();
        using var a = Model(kind);
        using var b = Model(kind);
        var x = randn(3, 20);
        var expected = a.call(x);
        Assert.False(expected.Equals(b.call(x)));
        var state = a.state_dict();
        Assert.Equal(Keys, state.Keys.Order());
        Assert.Equal(ScalarType.Int8, state["fc.weight"].dtype);
        Assert.Equal([10L, 20L], state["fc.weight"].shape);
        Assert.Equal(ScalarType.Float32, state["fc.weight_scale"].dtype);
        Assert.Equal([10L], state["fc.weight_scale"].shape);
        Assert.Equal(ScalarType.Int32, state["fc.weight_zero_point"].dtype);
        b.load_state_dict(state);
        Assert.True(expected.Equals(b.call(x)));
        Assert.True(expected.Equals(a.call(x)));
    }

    [Theory]
    [MemberData(nameof(Holders))]
    public void TorchSharps_own_save_and_load_carry_a_quantized_model(string kind)
    {
        using var scope = NewDisposeScope();
        using var a = Model(kind);
        using var b = Model(kind);
        var x = randn(3, 20);
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
            a.save(writer);
        file.Position = 0;
        using (NewDisposeScope())
            b.load(file);
        Assert.True(a.call(x).Equals(b.call(x)));
    }

    [Fact]
    public void No_parameters_are_registered_and_buffers_are_the_same_tensors_until_the_next_forward()
    {
        using var scope = NewDisposeScope();
        using var model = Model("module");
        Assert.Empty(model.named_parameters());
        var first = model.state_dict();
        var second = model.named_buffers().ToDictionary(b => b.name, b => b.buffer);
        Assert.All(Keys, key => Assert.Same(first[key], second[key]));
        model.call(randn(3, 20));
        Assert.All(Keys, key => Assert.NotSame(first[key], model.state_dict()[key]));
        Assert.All(Keys, key => Assert.True(first[key].Equals(model.state_dict()[key])));
    }

    [Fact]
    public void What_is_written_after_the_next_forward_has_no_effect()
    {
        using var scope = NewDisposeScope();
        using var model = Model("module");
        var x = randn(3, 20);
        var state = model.state_dict();
        var expected = model.call(x);
        state["fc.weight"].zero_();
        Assert.True(expected.Equals(model.call(x)));
    }

    [Fact]
    public void Lent_tensors_may_be_disposed_alone_or_by_a_scope()
    {
        using var outer = NewDisposeScope();
        using var model = Model("module");
        var x = randn(3, 20);
        var expected = model.call(x);
        using (NewDisposeScope())
            model.state_dict();
        model.state_dict()["fc.weight"].Dispose();
        Assert.True(expected.Equals(model.call(x)));
        foreach (var tensor in model.state_dict().Values)
            tensor.Dispose();
        var bias = model.state_dict()["fc.bias"];
        bias.add_(1);
        model.state_dict()["fc.weight"].Dispose();
        Assert.True((model.call(x) - expected - 1).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public void A_loaded_state_that_cannot_be_packed_is_refused_by_every_forward_until_mended()
    {
        using var scope = NewDisposeScope();
        using var model = Model("module");
        var x = randn(3, 20);
        var expected = model.call(x);
        var scale = model.state_dict()["fc.weight_scale"];
        var good = scale.clone();
        scale.fill_(float.NaN);
        Assert.Contains("fc.weight: ", Assert.Throws<ArgumentException>(() => { model.call(x); }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => { model.call(x); });
        scale.copy_(good);
        Assert.True(expected.Equals(model.call(x)));
    }

    [Fact]
    public void Exported_tensors_are_the_callers_and_hold_what_was_loaded()
    {
        using var scope = NewDisposeScope();
        using var module = Quantized();
        module.state_dict()["bias"].fill_(7);
        var exported = module.ExportState().ToDictionary();
        Assert.Equal(7f, exported["bias"][3].item<float>());
        Assert.NotSame(exported["bias"], module.state_dict()["bias"]);
        exported["bias"].zero_();
        Assert.Equal(7f, module.state_dict()["bias"][3].item<float>());
    }
}
