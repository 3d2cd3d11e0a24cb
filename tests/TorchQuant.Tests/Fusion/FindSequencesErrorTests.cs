using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>What <c>fuse_modules</c> on an example refuses as a whole.</summary>
public class FindSequencesErrorTests
{
    [Fact]
    public void Training_mode_is_refused_as_with_lists()
    {
        using var model = new Tutorial();
        using var x = rand(1, 3, 8, 8);
        Assert.Equal(["conv, batchnorm, relu: fusion only for eval: conv and batchnorm in training mode would change the batch norm that is folded; call model.eval() first"], Problems(model, m => m.call(x)));
        Assert.All(model.modules(), m => Assert.True(m.training));
    }

    [Fact]
    public void Fields_that_cannot_hold_the_fused_module_are_refused_as_with_lists()
    {
        using var model = new Typed();
        model.eval();
        using var x = rand(1, 1, 2, 2);
        Assert.Equal(
        [
            "conv: Typed.conv is declared Conv2d and cannot hold ConvReLU2d; declare it Module<Tensor, Tensor>",
            "relu: Typed.relu is declared ReLU and cannot hold Identity; declare it Module<Tensor, Tensor>",
        ], Problems(model, m => m.call(x)));
    }

    [Fact]
    public void A_model_that_gives_other_outputs_each_time_is_refused()
    {
        var random = new Random(1);
        using var model = new Tutorial();
        model.eval();
        using var x = rand(1, 3, 8, 8);
        Assert.StartsWith("the model gives other outputs on the same example: ", Assert.Single(Problems(model, m => m.call(x * random.NextSingle()))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_casts_its_modules_is_refused_with_the_cause()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("relu", nn.ReLU()));
        model.eval();
        using var x = rand(1, 1, 2, 2);
        var refused = Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, m => ((ReLU)m[1]).call(((Conv2d)m[0]).call(x))));
        Assert.IsType<InvalidCastException>(refused.InnerException);
        Assert.Contains("casts a module to its type", refused.Message, StringComparison.Ordinal);
        Assert.IsType<Conv2d>(model[0]);
        Assert.IsType<ReLU>(model[1]);
    }

    [Fact]
    public void What_the_model_itself_throws_is_thrown()
    {
        using var model = new Tutorial();
        model.eval();
        using var wrong = rand(1, 5, 8, 8);
        Assert.StartsWith("Expected 3D", Assert.Throws<ArgumentException>(() => quantization.fuse_modules(model, wrong, out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Examples_that_prove_nothing_are_refused()
    {
        using var model = new Tutorial();
        model.eval();
        using var nothing = rand(0, 3, 8, 8);
        Assert.Contains("no tensor with elements", Assert.Throws<ArgumentException>(() => quantization.fuse_modules(model, nothing)).Message, StringComparison.Ordinal);
        Assert.Contains("no tensor with elements", Assert.Throws<ArgumentException>(() => quantization.fuse_modules(model, _ => null)).Message, StringComparison.Ordinal);
        Assert.Contains("The run returned a Tutorial", Assert.Throws<ArgumentException>(() => quantization.fuse_modules(model, m => m)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => quantization.fuse_modules(model, (Tensor)null!));
        Assert.Throws<ArgumentNullException>(() => quantization.fuse_modules((Tutorial)null!, nothing));
    }

    [Fact]
    public void A_model_of_two_tensors_is_told_how_to_run_it()
    {
        using var model = nn.LSTMCell(1, 1);
        using var x = rand(1, 1);
        Assert.StartsWith("LSTMCell is a Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor)>, which does not take one tensor; say how to run it: fuse_modules(model, m => m.call(...), out var fused)",
            Assert.Throws<ArgumentException>(() => quantization.fuse_modules(model, x)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_is_not_on_the_CPU_is_refused()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(1, 1, 1, device: META)), ("relu", nn.ReLU()));
        using var x = rand(1, 1, 2, 2);
        var problems = Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, x)).Problems;
        Assert.StartsWith("conv.weight is on meta", problems[0], StringComparison.Ordinal);
        Assert.Equal(2, problems.Count);
    }

    private static IReadOnlyList<string> Problems<T>(T model, Func<T, object?> run) where T : nn.Module
    {
        var before = ModuleTree.Walk(model).Select(m => (m.Path, m.Module, m.Module.training)).ToList();
        var inPlace = Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, run, inplace: true));
        Assert.Equal(inPlace.Problems, Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, run)).Problems);
        Assert.Equal(before, ModuleTree.Walk(model).Select(m => (m.Path, m.Module, m.Module.training)));
        return inPlace.Problems;
    }

    private sealed class Typed : MTT
    {
        public Conv2d conv = nn.Conv2d(1, 1, 1);
        public ReLU relu = nn.ReLU();

        public Typed() : base(nameof(Typed)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var a = conv.call(input);
            return relu.call(a);
        }
    }
}
