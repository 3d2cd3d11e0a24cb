using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>What training leaves behind.</summary>
[Collection(nameof(Alone))]
public class QatLifetimeTests
{
    [Fact]
    public void Training_steps_leave_no_tensors()
    {
        using var random = new Generator(1);
        using var plain = QatNets.Float(1);
        using var prepared = QatNets.Prepared(1);
        using var plainOptimizer = optim.SGD(plain.parameters(), 0.01);
        using var optimizer = optim.SGD(prepared.parameters(), 0.01);
        var baseline = Left(() => QatNets.Step(plain, plainOptimizer, random));
        Assert.InRange(Left(() => QatNets.Step(prepared, optimizer, random)), long.MinValue, Math.Max(baseline, 0) + 20);
    }

    [Fact]
    public void Forwards_without_a_scope_leave_no_tensors()
    {
        using var net = QatNets.Prepared(1);
        using var x = randn(2, 3, 8, 8);
        using var plain = nn.Sequential(("conv", nn.Conv2d(3, 6, 3)), ("norm", nn.BatchNorm2d(6)), ("relu", nn.ReLU()));
        var baseline = Left(() => plain.call(x).Dispose()); // TorchSharp's batch norm leaves a tensor for each batch that it counts
        Assert.InRange(Left(() => net.conv1.call(x).Dispose()), long.MinValue, Math.Max(baseline, 0) + 20);
        net.eval();
        Assert.InRange(Left(() => net.conv1.call(x).Dispose()), long.MinValue, 20);
    }

    [Fact]
    public void Evaluations_leave_no_tensors()
    {
        using var net = QatNets.Prepared(1);
        using var x = randn(2, 3, 8, 8);
        net.call(x).Dispose();
        net.eval();
        var baseline = Left(() =>
        {
            using var noGrad = no_grad();
            ((QatModule)net.conv1).Folded()!.Dispose(); // TorchSharp counts what a new convolution makes, and not all of its end
            ((QatModule)net.conv2).Folded()!.Dispose();
        });
        Assert.InRange(Left(() => net.call(x).Dispose()), long.MinValue, Math.Max(baseline, 0) + 20);
        net.apply(quantization.disable_observer);
        using var off = no_grad();
        Assert.InRange(Left(() => net.call(x).Dispose()), long.MinValue, Math.Max(baseline, 0) + 20);
    }

    [Fact]
    public void Thousands_of_training_steps_do_not_grow_the_process()
    {
        using var random = new Generator(1);
        using var prepared = QatNets.Prepared(1);
        using var optimizer = optim.SGD(prepared.parameters(), 0.001);
        for (var i = 0; i < 100; i++)
            QatNets.Step(prepared, optimizer, random);
        GC.Collect();
        var before = Environment.WorkingSet;
        for (var i = 0; i < 1000; i++)
            QatNets.Step(prepared, optimizer, random);
        GC.Collect();
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 30L << 20); // the activations of one step are 0.4 MB: kept, they would be 400 MB
    }

    /// <summary>How many tensors more there are after a thousand times, none of them collected; TorchSharp's count drifts by itself, so it is to be compared.</summary>
    private static long Left(Action action)
    {
        for (var i = 0; i < 3; i++)
            action();
        GC.Collect();
        GC.WaitForPendingFinalizers(); // what other tests left
        var before = Tensor.TotalCount;
        for (var i = 0; i < 1000; i++)
            action();
        return Tensor.TotalCount - before;
    }
}
