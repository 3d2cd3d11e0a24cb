using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Fusion;

/// <summary>What fusing and running fused models leaves behind.</summary>
[Collection(nameof(Alone))]
public class FusionLifetimeTests
{
    [Fact]
    public void A_hundred_fused_copies_leave_no_tensor()
    {
        using var model = new Tutorial();
        model.eval();
        // TorchSharp counts a Parameter twice when it is made and once when it is disposed.
        var parameter = TensorsLeft.By(() => new Parameter(zeros(1)).Dispose());
        var copied = TensorsLeft.By(() => ModuleTree.Copy(model).Dispose());
        var fused = TensorsLeft.By(() => quantization.fuse_modules(model, ["conv", "batchnorm", "relu"]).Dispose());
        Assert.InRange(fused, long.MinValue, copied + (4 * parameter) + 10); // weight and bias: copied, then folded
    }

    [Fact]
    public void Fused_copies_give_the_memory_of_their_weights_back()
    {
        using var model = nn.Sequential(("conv", nn.Conv2d(256, 256, 3)), ("norm", nn.BatchNorm2d(256)), ("relu", nn.ReLU()));
        model.eval();
        void Fuse() => quantization.fuse_modules(model, ["conv", "norm", "relu"]).Dispose();
        for (var i = 0; i < 10; i++) Fuse();
        var before = Environment.WorkingSet;
        for (var i = 0; i < 60; i++) Fuse();
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 60L << 20); // one weight of 2.4 MB kept by each would be 141 MB
    }

    [Fact]
    public void Refused_calls_leave_no_tensor()
    {
        using var model = new Tutorial();
        Assert.InRange(TensorsLeft.By(() => Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, ["conv", "batchnorm", "relu"]))), long.MinValue, 10);
    }

    [Fact]
    public void Forwards_of_a_fused_model_leave_no_tensor()
    {
        using var model = new Tutorial();
        model.eval();
        using var fused = quantization.fuse_modules(model, ["conv", "batchnorm", "relu"]);
        using var x = rand(1, 3, 4, 4);
        using var off = no_grad();
        Assert.InRange(TensorsLeft.By(() => fused.call(x).Dispose()), long.MinValue, 10);
    }

    [Fact]
    public void Fused_weights_outlive_the_scope_in_which_they_were_made()
    {
        using var model = new Tutorial();
        model.eval();
        Tutorial fused;
        using (NewDisposeScope()) fused = quantization.fuse_modules(model, ["conv", "batchnorm", "relu"]);
        using var x = rand(1, 3, 4, 4);
        using var y = fused.call(x);
        Assert.Equal([1, 8, 2, 2], y.shape);
        fused.Dispose();
    }
}
