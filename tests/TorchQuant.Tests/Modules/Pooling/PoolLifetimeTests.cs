using TorchQuant.Kernels;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Pooling;

[Collection(nameof(Alone))]
public class PoolLifetimeTests
{
    private const int Forwards = 10_000;

    // One page leaked by each forward would be 40 MiB; tensors are counted besides.
    private const long ProcessBytes = 20L << 20;

    [Theory]
    [InlineData("MaxPool2d")]
    [InlineData("AvgPool3d")]
    [InlineData("AdaptiveAvgPool1d")]
    public void Ten_thousand_forwards_leave_tensors_and_process_flat(string kind)
    {
        using var module = PoolCase.Int8(PoolCase.Make(kind, new Random(8)));
        var spatial = PoolCase.Spatial(kind);
        using var output = new QuantizedOutput(new QParams(0.1f, 7));
        using var plain = output.Empty([2, 6, .. Enumerable.Repeat(8L, spatial)]);
        using var ordered = ChannelsLast.Of(plain);
        using var last = ChannelsLast.ToSecond(ordered);
        using var one = last[0];
        Tensor[] inputs = [plain, last, spatial == 3 ? last : one]; // libtorch averages no volumes without a batch
        for (var i = 0; i < 300; i++)
            module.call(inputs[i % 3]).Dispose();
        var (tensors, memory) = (Tensor.TotalCount, Environment.WorkingSet);
        for (var i = 0; i < Forwards; i++)
            module.call(inputs[i % 3]).Dispose();
        Assert.InRange(Tensor.TotalCount - tensors, long.MinValue, 10); // fewer: what earlier tests left is finalized meanwhile
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, ProcessBytes);
    }
}
