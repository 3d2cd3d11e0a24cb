using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

public class FuseModulesErrorTests
{
    private static string[] Problems(nn.Module model, params IReadOnlyList<string>[] lists)
    {
        var before = ModuleTree.Walk(model);
        var inPlace = Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, lists, inplace: true));
        var copying = Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, lists));
        Assert.Equal(inPlace.Problems, copying.Problems);
        Assert.All(inPlace.Problems, p => Assert.Contains(p, inPlace.Message, StringComparison.Ordinal));
        Assert.Equal(before, ModuleTree.Walk(model));
        return [.. inPlace.Problems];
    }

    private static T Eval<T>(T model) where T : nn.Module
    {
        model.eval();
        return model;
    }

    [Fact]
    public void A_name_that_does_not_exist_is_told_with_those_that_do()
    {
        using var model = Eval(nn.Sequential(("body", nn.Sequential(("conv", nn.Conv2d(1, 2, 1)), ("relu", nn.ReLU())))));
        Assert.Equal(["'body.bn': there is no such module; body has body.conv, body.relu"], Problems(model, ["body.conv", "body.bn"]));
        Assert.Equal(["'head.conv': there is no such module; the model has body", "'body.relu.x': there is no such module; body.relu has no modules"], Problems(model, ["head.conv", "body.relu.x"]));
    }

    [Fact]
    public void An_unknown_sequence_names_its_types_and_the_known()
    {
        using var model = Eval(nn.Sequential(("conv", nn.Conv2d(1, 2, 1)), ("tanh", nn.Tanh())));
        var problems = Problems(model, ["conv", "tanh"]);
        Assert.Equal("conv, tanh: (Conv2d, Tanh) is no sequence that can be fused", problems[0]);
        Assert.StartsWith("sequences that can be fused: Conv1d, BatchNorm1d, ReLU; Conv1d, ReLU; ", problems[1], StringComparison.Ordinal);
        Assert.Contains("Linear, BatchNorm1d; ", problems[1], StringComparison.Ordinal);
        Assert.Equal(2, problems.Length);
        Assert.Equal("conv: (Conv2d) is no sequence that can be fused", Problems(model, ["conv"])[0]);
        Assert.Equal(["a list of modules to fuse is empty or holds an empty name; expected e.g. [\"conv\", \"bn\", \"relu\"]"], Problems(model, [[]]));
    }

    [Fact]
    public void A_wrong_order_is_told_the_right_one()
    {
        using var model = Eval(new Tutorial());
        Assert.Equal(["conv, relu, batchnorm: (Conv2d, ReLU, BatchNorm2d) is no sequence that can be fused; name them in the order of the calls: Conv2d, BatchNorm2d, ReLU"],
            Problems(model, ["conv", "relu", "batchnorm"]));
    }

    [Fact]
    public void Fusion_is_only_for_eval()
    {
        using var model = new Tutorial();
        Assert.Equal(["conv, batchnorm, relu: fusion only for eval: conv and batchnorm in training mode would change the batch norm that is folded; call model.eval() first"],
            Problems(model, ["conv", "batchnorm", "relu"]));
        model.conv.eval();
        Assert.StartsWith("conv, batchnorm: fusion only for eval: batchnorm in training mode", Assert.Single(Problems(model, ["conv", "batchnorm"])), StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_of_a_call_are_listed_at_once()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(1, 2, 1)), ("bn", nn.BatchNorm2d(3, track_running_stats: false)), ("relu", nn.ReLU()), ("fc", nn.Linear(2, 2)));
        ((MTT)model[0]).register_forward_hook((_, _, y) => y);
        ((MTT)model[1]).register_forward_pre_hook((_, x) => x);
        var problems = Problems(model, ["conv", "bn"], ["fc", "nothing"], ["relu", "fc"]);
        Assert.Equal(8, problems.Length);
        Assert.Contains("'nothing': there is no such module; the model has conv, bn, relu, fc", problems);
        Assert.Contains("relu, fc: (ReLU, Linear) is no sequence that can be fused; name them in the order of the calls: Linear, ReLU", problems);
        Assert.Contains("fc (Linear) is named 2 times, in [fc, nothing] and in [relu, fc]; a module can be fused once: give each sequence a module of its own", problems);
        Assert.Contains(problems, p => p.Contains("fusion only for eval", StringComparison.Ordinal));
        Assert.Contains("conv, bn: bn normalizes 3 features, but conv gives 2; they must be equal", problems);
        Assert.Contains("conv, bn: bn has no running statistics to fold (track_running_stats: false); make it with track_running_stats: true", problems);
        Assert.Contains("conv, bn: conv has forward hooks, but its output before bn will not exist; remove them, or register them on bn", problems);
        Assert.Contains("conv, bn: bn has forward pre-hooks, but its input will not exist; remove them, or register them on conv", problems);
    }

    [Fact]
    public void A_field_that_cannot_hold_the_fused_module_is_told_what_to_declare()
    {
        using var model = Eval(new Declared());
        Assert.Equal(
        [
            "conv: Declared.conv is declared Conv2d and cannot hold ConvReLU2d; declare it Module<Tensor, Tensor>",
            "relu: Declared.relu is declared ReLU and cannot hold Identity; declare it Module<Tensor, Tensor>",
        ], Problems(model, ["conv", "relu"]));
        using var folded = quantization.fuse_modules(model, ["conv", "norm"]);
        Assert.IsType<Identity>(folded.norm); // a folded convolution is a Conv2d: its field holds it
        Assert.NotNull(folded.conv.bias);
    }

    [Fact]
    public void One_activation_in_two_sequences_is_refused()
    {
        var relu = nn.ReLU();
        using var shared = Eval(nn.Sequential(("a", nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("relu", relu))), ("b", nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("relu", relu)))));
        Assert.Equal(["a.conv, a.relu: a.relu is one module in 2 places (a.relu, b.relu) and would be fused away in all of them; give each sequence a ReLU of its own"], Problems(shared, ["a.conv", "a.relu"]));
        Assert.StartsWith("a.relu (ReLU) is named 2 times, in [a.conv, a.relu] and in [b.conv, b.relu]", Problems(shared, ["a.conv", "a.relu"], ["b.conv", "b.relu"])[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_sequence_that_is_in_two_places_as_a_whole_is_fused_in_both()
    {
        using var model = Eval(new Twice());
        using var fused = quantization.fuse_modules(model, ["conv", "relu"]);
        Assert.Same(fused.conv, fused.body[0]);
        Assert.IsType<TorchQuant.Modules.ConvReLU2d>(fused.conv);
        Assert.Same(fused.relu, fused.body[1]);
    }

    private sealed class Declared : MTT
    {
        public Conv2d conv = nn.Conv2d(1, 1, 1, bias: false);
        public MTT norm = nn.BatchNorm2d(1);
        public ReLU relu = nn.ReLU();

        public Declared() : base(nameof(Declared)) => RegisterComponents();

        public override Tensor forward(Tensor input) => relu.call(norm.call(conv.call(input)));
    }

    private sealed class Twice : MTT
    {
        public MTT conv = nn.Conv2d(1, 1, 1);
        public MTT relu = nn.ReLU();
        public Sequential body;

        public Twice() : base(nameof(Twice))
        {
            body = nn.Sequential(conv, relu);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => body.call(input);
    }
}
