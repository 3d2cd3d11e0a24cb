using TorchQuant.Fusion;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>How a model behaves while it is watched, and what it is afterwards.</summary>
public class WatchedModelTests
{
    [Fact]
    public void A_model_that_cannot_be_copied_is_watched_itself_and_put_back()
    {
        using var model = new Uncopyable();
        model.eval();
        model.drop.train();
        var hooks = 0;
        model.conv.register_forward_pre_hook((_, x) => { hooks++; return x; });
        using var x = rand(1, 3, 4, 4);
        using var expected = Counted(model, x);
        var (before, calls) = (hooks, model.Calls);
        Assert.Throws<ModuleCopyException>(() => quantization.fuse_modules(model, x));
        var report = FusionSearch.Run(model, m => m.call(x), FusionPatterns.All, inplace: true);
        Assert.Equal(["conv, norm", "block.0, block.1, block.2"], report.Fused.Select(f => string.Join(", ", f.Names)));
        Assert.Equal([typeof(Conv2d), typeof(BatchNorm2d), typeof(Dropout), typeof(Sequential), typeof(TransformerEncoderLayer)], model.named_children().Select(c => c.module.GetType()));
        Assert.Equal([typeof(Conv2d), typeof(BatchNorm2d), typeof(ReLU)], model.block.children().Select(c => c.GetType()));
        Assert.Equal([model.drop, model.drop], model.modules().Where(m => m.training).Append(model.drop).Where(m => m is Dropout));
        Assert.Equal(calls, model.Calls);
        Assert.Equal(before + 4, hooks);
        using (var again = Counted(model, x)) Assert.True(expected.allclose(again, 1e-5, 1e-5));
        Assert.Equal(before + 5, hooks); // the recorders' own hooks are gone, the user's is there once

        Assert.Same(model, quantization.fuse_modules(model, x, out var fused, inplace: true));
        Assert.Equal(report.ToString(), fused.ToString());
        Assert.IsType<Identity>(model.norm);
        Assert.IsType<ConvReLU2d>(model.block[0]);
        using var actual = Counted(model, x);
        Assert.True(expected.allclose(actual, 1e-3, 1e-4));
    }

    [Fact]
    public void A_model_that_cannot_be_copied_is_put_back_after_a_refusal()
    {
        using var model = new Uncopyable();
        using var x = rand(1, 3, 4, 4);
        var types = ModuleTree.Walk(model).Select(m => (m.Path, m.Module, m.Module.training)).ToList();
        Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, x, inplace: true)); // training mode
        Assert.Throws<InvalidOperationException>(() => quantization.fuse_modules(model, _ => throw new InvalidOperationException(), inplace: true));
        Assert.Equal(types, ModuleTree.Walk(model).Select(m => (m.Path, m.Module, m.Module.training)));
    }

    [Fact]
    public void Flags_come_back_where_a_shared_child_comes_before_a_parent()
    {
        var shared = nn.Sequential(("relu", nn.ReLU()));
        using var model = nn.Sequential(("a", nn.Sequential(("shared", shared))), ("b", nn.Sequential(("shared", shared), ("other", nn.ReLU()))));
        model.train();
        shared.eval();
        ((MTT)((Sequential)model[1])[1]).eval();
        var flags = ModuleTree.Walk(model).Select(m => (m.Path, m.Module.training)).ToList();
        using (new ModelStateGuard(model)) Assert.DoesNotContain(model.modules(), m => m.training);
        Assert.Equal(flags, ModuleTree.Walk(model).Select(m => (m.Path, m.Module.training)));
    }

    [Fact]
    public void Hooks_that_change_what_flows_are_seen()
    {
        using var model = new Tutorial();
        model.eval();
        model.relu.register_forward_pre_hook((_, x) => x * 2); // between the norm and the activation
        using var x = rand(1, 3, 8, 8);
        using var fused = quantization.fuse_modules(model, x, out var report);
        Assert.Equal(["conv, batchnorm"], report.Fused.Select(f => string.Join(", ", f.Names)));
        using var expected = model.call(x);
        using var actual = fused.call(x);
        Assert.True(expected.allclose(actual, 1e-4, 1e-5));
    }

    [Fact]
    public void A_use_among_many_blocks_is_found_in_few_runs()
    {
        var runs = 0;
        using var model = nn.Sequential([.. Enumerable.Range(0, 32).Select(i => ($"{i}", (MTT)new WiredBlock(new(i == 19 ? Wiring.SkipFromConv : Wiring.Calls, true, After.ReLU, false))))]);
        model.eval();
        using var x = rand([1, 3, 4, 4], ScalarType.Float64);
        using var fused = quantization.fuse_modules(model, m => { runs++; return m.call(x); }, out var report);
        Assert.Equal(32, report.Fused.Count);
        Assert.Equal(["19.conv", "19.norm", "19.act"], Assert.Single(report.NotFused).Names);
        Assert.Equal(["19.norm", "19.act"], report.Fused.Single(f => f.FusedType == typeof(BNReLU2d)).Names);
        Assert.InRange(runs, 5, 3 + (2 * 2 * 7)); // 64 links: halved 6 times
    }

    [Fact]
    public void A_dropout_between_two_modules_keeps_them_apart_though_eval_mode_skips_it()
    {
        using var model = nn.Sequential(("fc", nn.Linear(4, 4)), ("drop", nn.Dropout(0.5)), ("relu", nn.ReLU()));
        model.eval();
        using var x = rand(2, 4);
        using var fused = quantization.fuse_modules(model, x, out var report);
        Assert.Empty(report.Fused);
    }

    /// <summary>The outputs without the number of calls so far.</summary>
    private static Tensor Counted(Uncopyable model, Tensor x)
    {
        using var y = model.call(x);
        return y - model.Calls;
    }

    /// <summary>Holds what cannot be copied, counts its calls in a buffer and adds the count to its outputs.</summary>
    private sealed class Uncopyable : MTT
    {
        public Conv2d conv = nn.Conv2d(3, 3, 1);
        public MTT norm = nn.BatchNorm2d(3);
        public MTT drop = nn.Dropout(0);
        public Sequential block = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.ReLU());
        public TransformerEncoderLayer attention = nn.TransformerEncoderLayer(2, 1);
        private readonly Tensor _calls = zeros(1);

        public Uncopyable() : base(nameof(Uncopyable)) => RegisterComponents();

        public float Calls => _calls.item<float>();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            _calls.add_(1);
            return block.call(drop.call(norm.call(conv.call(input)))).add(_calls.item<float>()).MoveToOuterDisposeScope();
        }
    }
}
