using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

public class ObserverCopyTests
{
    public static TheoryData<string, ObserverFactory> Statistics => new()
    {
        { "min-max", MinMaxObserver.with_args() },
        { "moving average", MovingAverageMinMaxObserver.with_args(0.5f) },
        { "per channel", PerChannelMinMaxObserver.with_args(1) },
        { "moving average per channel", MovingAveragePerChannelMinMaxObserver.with_args(0.5f, 1) },
        { "histogram", HistogramObserver.with_args() },
        { "percentile", PercentileObserver.with_args() },
        { "entropy", EntropyObserver.with_args() },
        { "squared error", MseObserver.with_args() },
    };

    [Theory]
    [MemberData(nameof(Statistics), DisableDiscoveryEnumeration = true)]
    public void Copies_of_a_prepared_model_see_shards_on_threads_and_merge(string name, ObserverFactory factory)
    {
        using var model = nn.Sequential(("tanh", nn.Tanh()), ("observer", factory.Create()));
        using var shard = ModuleTree.Copy(model);
        using var first = tensor(HistogramObserverTests.Normal[..5000], [1250, 4]);
        using var second = tensor(HistogramObserverTests.Normal[5000..], [1250, 4]);
        Parallel.Invoke(() => model.call(first).Dispose(), () => shard.call(second).Dispose());
        var (observer, other) = ((UniformQuantizationObserverBase)model[1], (UniformQuantizationObserverBase)shard[1]);
        Assert.NotEqual(observer.min_val.data<float>().ToArray(), other.min_val.data<float>().ToArray());
        observer.Merge(other);

        using var one = (UniformQuantizationObserverBase)factory.Create();
        foreach (var input in new[] { first, second })
        {
            using var output = input.tanh();
            one.call(output).Dispose();
        }
        var (expected, merged) = (one.calculate_qparams(), observer.calculate_qparams());
        using (expected.scale)
        using (expected.zero_point)
        using (merged.scale)
        using (merged.zero_point)
            Assert.True(merged.scale.allclose(expected.scale, rtol: 0.02, atol: 0), $"{name}: {merged.scale.ToString(true)} instead of {expected.scale.ToString(true)}");
    }
}
