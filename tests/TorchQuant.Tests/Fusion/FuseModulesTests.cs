using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Fusion;

public class FuseModulesTests
{
    [Property(Arbitrary = [typeof(FusionCases)], MaxTest = 300)]
    public void Fused_model_equals_unfused_in_eval(FusionCase c)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = c.Model();
        using var fused = quantization.fuse_modules(model, c.Names);
        var (x, before) = (c.Input(), c.Input().sum().item<double>());
        var (expected, actual) = (model.call(x), fused.call(x));
        Assert.Equal(expected.shape, actual.shape);
        // float64: folding reorders a handful of roundings of 1e-16 each.
        Assert.True((expected - actual).abs().le(1e-11 * (1 + expected.abs().max())).all().item<bool>(), $"{c}");
        Assert.Equal(before, x.sum().item<double>());
        Assert.Equal(c.Names.Skip(1).ToArray(), fused.named_children().Where(m => m.module is Identity).Select(m => m.name));
        Assert.Equal(c.Activation == After.Nothing ? ["first.weight", "first.bias"] : c.Bias || c.Norm ? ["first.0.weight", "first.0.bias"] : new[] { "first.0.weight" }, fused.state_dict().Keys.Order(StringComparer.Ordinal).Reverse());
    }

    [Property(Arbitrary = [typeof(FusionCases)], MaxTest = 60)]
    public void In_place_is_the_same_as_in_a_copy_and_a_copy_leaves_the_original_alone(FusionCase c)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = c.Model();
        var before = model.state_dict().ToDictionary(e => e.Key, e => e.Value.clone());
        using var copy = quantization.fuse_modules(model, c.Names);
        Assert.Equal(before.Keys, model.state_dict().Keys);
        foreach (var (name, value) in model.state_dict()) Assert.True(value.equal(before[name]).all().item<bool>(), name);
        Assert.Same(model, quantization.fuse_modules(model, c.Names, inplace: true));
        foreach (var (name, value) in copy.state_dict()) Assert.True(value.equal(model.state_dict()[name]).all().item<bool>(), name);
        Assert.True(copy.call(c.Input()).allclose(model.call(c.Input()), 1e-12, 1e-12)); // libtorch's last bit depends on where in memory the weights lie
        copy.parameters().First().fill_(7);
        Assert.NotEqual(7, model.parameters().First().flatten()[0].item<double>());
    }

    [Fact]
    public void Folding_gives_the_known_numbers()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var conv = nn.Conv1d(1, 2, 1);
        using var norm = nn.BatchNorm1d(2, eps: 0);
        conv.weight.copy_(tensor(new[] { 3f, 5f }).reshape(2, 1, 1));
        conv.bias!.copy_(tensor(new[] { 1f, -1f }));
        norm.weight.copy_(tensor(new[] { 2f, 1f }));
        norm.bias!.copy_(tensor(new[] { 0.5f, 0f }));
        norm.running_mean!.copy_(tensor(new[] { 2f, 3f }));
        norm.running_var!.copy_(tensor(new[] { 4f, 16f }));
        using var model = nn.Sequential(("conv", conv), ("norm", norm));
        model.eval();
        using var fused = quantization.fuse_modules(model, ["conv", "norm"]);
        var state = fused.state_dict();
        Assert.Equal([3f, 1.25f], state["conv.weight"].data<float>().ToArray()); // 3 * 2/2, 5 * 1/4
        Assert.Equal([-0.5f, -1f], state["conv.bias"].data<float>().ToArray()); // (1-2) * 2/2 + 0.5, (-1-3) * 1/4
    }

    [Fact]
    public void The_lines_of_the_PyTorch_tutorial_translate()
    {
        using var model = new Tutorial();
        model.eval();
        using var fused = quantization.fuse_modules(model, [["conv", "batchnorm", "relu"]]);
        var container = Assert.IsType<ConvReLU2d>(fused.conv);
        Assert.IsType<Identity>(fused.batchnorm);
        Assert.IsType<Identity>(fused.relu);
        Assert.False(container.training);
        Assert.Equal("ConvReLU2d(\n  (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))\n  (1): ReLU()\n)", container.ToString());
        Assert.Equal(["conv.0.weight", "conv.0.bias"], fused.state_dict().Keys);
        Assert.IsType<Conv2d>(model.conv);
        using var x = rand(2, 3, 8, 8);
        using var expected = model.call(x);
        using var actual = fused.call(x);
        Assert.True(expected.allclose(actual, 1e-4, 1e-5));
    }

    [Fact]
    public void Lists_and_dotted_names_fuse_several_sequences_in_nested_modules()
    {
        using var model = nn.Sequential(("body", nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU(), nn.BatchNorm2d(2), nn.ReLU())),
            ("head", nn.Sequential(nn.Flatten(), nn.Linear(8, 3), nn.ReLU6())));
        model.eval();
        IReadOnlyList<IReadOnlyList<string>> lists = [["body.0", "body.1", "body.2"], ["head.1", "head.2"], ["body.3", "body.4"]];
        using var fused = quantization.fuse_modules(model, lists);
        var types = ModuleTree.Walk(fused).ToDictionary(m => m.Path, m => m.Module.GetType());
        Assert.Equal([typeof(ConvReLU2d), typeof(BNReLU2d), typeof(LinearReLU6)], new[] { "body.0", "body.3", "head.1" }.Select(p => types[p]));
        using var x = rand(2, 1, 2, 2);
        using var expected = model.call(x);
        using var actual = fused.call(x);
        Assert.True(expected.allclose(actual, 1e-4, 1e-5));
    }

    [Fact]
    public void A_copy_of_a_fused_model_computes_the_same_and_shares_nothing()
    {
        using var model = new Tutorial();
        model.eval();
        using var fused = quantization.fuse_modules(model, ["conv", "batchnorm", "relu"]);
        using var copy = ModuleTree.Copy(fused);
        using var x = rand(2, 3, 8, 8);
        using var expected = fused.call(x);
        using (no_grad()) fused.parameters().First().zero_();
        using var actual = copy.call(x);
        Assert.Equal(expected.data<float>().ToArray(), actual.data<float>().ToArray());
    }

    [Fact]
    public void Hooks_run_before_the_first_and_after_the_last_and_between_norm_and_activation()
    {
        using var model = new Tutorial();
        model.eval();
        var log = new List<string>();
        model.conv.register_forward_pre_hook((m, x) => Log("pre", m, x));
        model.batchnorm.register_forward_hook((m, _, y) => Log("norm", m, y));
        model.relu.register_forward_pre_hook((m, x) => Log("relu", m, x));
        model.relu.register_forward_hook((m, _, y) => Log("post", m, y));
        quantization.fuse_modules(model, ["conv", "batchnorm", "relu"], inplace: true);
        using var x = rand(1, 3, 8, 8);
        model.call(x).Dispose();
        Assert.Equal(["pre ConvReLU2d", "norm Conv2d", "relu ReLU", "post ConvReLU2d"], log);

        Tensor Log(string hook, nn.Module module, Tensor value)
        {
            log.Add($"{hook} {module.GetType().Name}");
            return value;
        }
    }

    [Fact]
    public void Qconfigs_set_before_fusing_are_kept()
    {
        using var model = new Tutorial();
        model.eval();
        model.qconfig = quantization.default_dynamic_qconfig;
        model.conv.qconfig = quantization.per_channel_dynamic_qconfig;
        using var fused = quantization.fuse_modules(model, ["conv", "batchnorm", "relu"]);
        Assert.Same(quantization.default_dynamic_qconfig, fused.qconfig);
        Assert.Same(quantization.per_channel_dynamic_qconfig, fused.conv.qconfig);
    }

    [Fact]
    public void Training_mode_is_kept_where_nothing_is_folded()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("relu", nn.ReLU()));
        var weight = model.parameters().First();
        quantization.fuse_modules(model, ["conv", "relu"], inplace: true);
        Assert.All(model.modules(), m => Assert.True(m.training));
        Assert.Same(weight, model.parameters().First());
        using var x = rand(1, 1, 2, 2);
        using var y = model.call(x);
        using var sum = y.sum();
        sum.backward();
        Assert.NotNull(weight.grad);
    }
}
