using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

/// <summary>The observers that measure nothing.</summary>
public class CarriedSettingsTests
{
    [Fact]
    public void Fixed_qparams_are_what_was_given_whatever_flows()
    {
        using var observer = FixedQParamsObserver.with_args(2f / 256, 128).Create();
        RangeObserverTests.Record(observer, [2], -50, float.NaN);
        var (scale, zeroPoint) = observer.calculate_qparams();
        using (scale)
        using (zeroPoint)
            Assert.Equal((2f / 256, 128L), (scale.item<float>(), zeroPoint.item<long>()));
        Assert.Equal("FixedQParamsObserver(dtype=quint8, scale=0.0078125, zero_point=128, quant_min=0, quant_max=255)", observer.ToString());
    }

    [Fact]
    public void Fixed_qparams_that_are_none_are_refused()
    {
        foreach (var scale in new[] { 0, -1, float.NaN, float.PositiveInfinity })
            Assert.Contains("positive number", Assert.Throws<ArgumentException>(() => new FixedQParamsObserver(scale, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("0 to 255; found 256", Assert.Throws<ArgumentException>(() => new FixedQParamsObserver(1, 256)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new FixedQParamsObserver(1, 0, qdtype.qint8));
        Assert.Throws<ArgumentException>(() => new FixedQParamsObserver(1, 0, qdtype.float16));
    }

    [Fact]
    public void Noop_passes_everything_and_has_no_qparams()
    {
        using var observer = NoopObserver.with_args().Create();
        using var x = tensor([float.NaN, 2f]);
        using var y = observer.call(x);
        Assert.Equal(2f, y[1].item<float>());
        Assert.Equal(qdtype.float16, observer.dtype);
        Assert.Contains("observes nothing", Assert.Throws<InvalidOperationException>(() => observer.calculate_qparams()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recordings_are_copies_in_order_that_belong_to_the_observer()
    {
        Tensor kept;
        using (var observer = new RecordingObserver())
        {
            using (NewDisposeScope())
            {
                var x = tensor([1f, 2f]);
                observer.call(x);
                x.add_(1);
                observer.call(x);
            }
            using var other = new RecordingObserver();
            RangeObserverTests.Record(other, [1], 7);
            observer.Merge(other);
            Assert.Equal([1f, 2f, 2f, 3f, 7f], observer.get_tensor_value().SelectMany(t => t.data<float>().ToArray()));
            Assert.Throws<ArgumentException>(() => observer.Merge(observer));
            Assert.Contains("get_tensor_value", Assert.Throws<InvalidOperationException>(() => observer.calculate_qparams()).Message, StringComparison.Ordinal);
            kept = observer.get_tensor_value()[0];
        }
        Assert.True(kept.IsInvalid);
    }
}
