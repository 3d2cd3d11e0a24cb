using TorchQuant.Modules;
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

    public static void Converted_computes_every_layer_in_int8(nn.Module<Tensor, Tensor> model, Action<nn.Module<Tensor, Tensor>> fuse, Tensor data)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        Settle(model, data);
        fuse(model);
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        var expected = model.call(data);
        Assert.Equal(expected, prepared.call(data));
        var layers = model.modules().Count(m => m is QuantStub or FloatFunctional or Conv2d or Linear);
        Assert.Equal(layers, prepared.modules().Count(m => m is IObserved { activation_post_process: HistogramObserver }));

        using var int8 = quantization.convert(prepared);
        Assert.DoesNotContain(int8.modules(), m => m is Conv2d or Linear or ReLU or ReLU6 or BatchNorm2d);
        Assert.Equal(layers, int8.modules().Count(m => m is StaticQuantizedModule or Quantize or QFunctional));
        var actual = int8.call(data);
        Assert.Equal(ScalarType.Float32, actual.dtype);
        Assert.InRange(20 * Math.Log10(expected.norm().item<float>() / (expected - actual).norm().item<float>()), 10, 60);

        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var loaded = quantization.load(ModuleTree.Copy(model), file);
        Assert.Equal(actual, loaded.call(data));
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
