using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

/// <summary>What holds for every model of the folder.</summary>
internal static class ModelClaims
{
    /// <summary>Batch norms with statistics of their own, as training leaves them, so that folding them changes something.</summary>
    public static void Settle(nn.Module<Tensor, Tensor> model, Tensor data)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        model.train();
        model.call(data);
        model.call(data);
        model.eval();
    }

    public static void Fused_equals_unfused(nn.Module<Tensor, Tensor> model, Action<nn.Module<Tensor, Tensor>> fuse, Tensor data)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        Settle(model, data);
        var expected = model.call(data);
        using var copy = ModuleTree.Copy(model);
        fuse(copy);
        Assert.DoesNotContain(copy.modules(), m => m is BatchNorm2d);
        var actual = copy.call(data);
        // Folding rounds each weight once more; a few dozen layers of float32 keep four digits.
        Assert.True((expected - actual).abs().max().item<float>() <= 1e-4 * (1 + expected.abs().max().item<float>()), $"{(expected - actual).abs().max().item<float>()}");
        Assert.Equal(expected, model.call(data)); // the original is what it was
        Assert.Contains(model.modules(), m => m is BatchNorm2d);
        Assert.Throws<ModuleFusionException>(() => fuse(copy)); // once is enough
    }

    public static void Prepared_observes_every_layer(nn.Module<Tensor, Tensor> model, Action<nn.Module<Tensor, Tensor>> fuse, Tensor data)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        Settle(model, data);
        fuse(model);
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        Assert.Equal(model.call(data), prepared.call(data));
        foreach (var (name, observer) in prepared.named_modules().Where(m => m.module is HistogramObserver))
            Assert.True(((HistogramObserver)observer).min_val.item<float>() <= ((HistogramObserver)observer).max_val.item<float>(), name);
        Assert.Equal(model.named_modules().Count(m => m.module is QuantStub or FloatFunctional or Linear), prepared.named_modules().Count(m => m.module is HistogramObserver && !m.name.Contains("conv", StringComparison.Ordinal)));
    }

    public static void Forwards_leave_no_tensors(nn.Module<Tensor, Tensor> model, Tensor data)
    {
        using var off = no_grad();
        model.eval();
        using var scope = NewDisposeScope();
        using var output = model.call(data);
        Assert.Equal(1, scope.DisposablesCount); // the output alone: every temporary is gone
    }
}
