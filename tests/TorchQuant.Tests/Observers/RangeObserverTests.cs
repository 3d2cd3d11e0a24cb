using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

/// <summary>What the four observers of a range have in common: their formulas, averages and merging.</summary>
public class RangeObserverTests
{
    private static readonly qdtype[] Types = [qdtype.quint8, qdtype.qint8, qdtype.qint32, qdtype.quint4x2];

    private static IEnumerable<RangeObserverBase> EveryClass(float constant = 0.25f) =>
    [
        new MinMaxObserver(), new MovingAverageMinMaxObserver(constant), new PerChannelMinMaxObserver(), new MovingAveragePerChannelMinMaxObserver(constant),
    ];

    [Property]
    public void Affine_qparams_follow_the_formula_for_every_type_and_range(float first, float second, byte choice, bool reduce)
    {
        if (Numbers([first, second]) is not [var a, var b])
            return;
        var dtype = Types[choice % 4];
        reduce &= dtype == qdtype.quint8 || dtype == qdtype.qint8;
        using var observer = new MinMaxObserver(dtype, reduce_range: reduce);
        var (scale, zeroPoint) = Observed(observer, a, b);
        float n = MathF.Min(0, MathF.Min(a, b)), p = MathF.Max(0, MathF.Max(a, b));
        var expected = MathF.Max((p - n) / (float)((double)observer.quant_max - observer.quant_min), 1.1920929e-07f);
        Assert.Equal(expected, scale);
        Assert.Equal((long)Math.Clamp(observer.quant_min - (double)MathF.Round(n / expected, MidpointRounding.ToEven), observer.quant_min, observer.quant_max), zeroPoint);
    }

    [Property]
    public void Symmetric_qparams_follow_the_formula(float first, float second, bool minus, byte narrow)
    {
        if (Numbers([first, second]) is not [var a, var b])
            return;
        var (low, high) = minus ? (-127 + (narrow % 100), 127 - (narrow % 100)) : (0, 255 - (narrow % 100));
        using var observer = new MinMaxObserver(minus ? qdtype.qint8 : qdtype.quint8, qscheme.per_tensor_symmetric, quant_min: low, quant_max: high, eps: 1f / 4096);
        var (scale, zeroPoint) = Observed(observer, a, b);
        Assert.Equal(MathF.Max(MathF.Max(MathF.Abs(a), MathF.Abs(b)) / ((high - low) / 2f), 1f / 4096), scale);
        Assert.Equal(minus ? 0 : high / 2, zeroPoint);
    }

    [Property]
    public void Averages_move_by_the_constants_share_of_the_difference(float[] lows, byte share)
    {
        var values = Numbers(lows);
        if (values.Length == 0)
            return;
        var constant = (share + 1) / 256f;
        using var tensorwise = new MovingAverageMinMaxObserver(constant);
        using var channelwise = new MovingAveragePerChannelMinMaxObserver(constant);
        float expected = values[0];
        for (var i = 0; i < values.Length; i++)
        {
            Record(tensorwise, values[i], values[i] + 1);
            Record(channelwise, [2, 2], values[i], values[i] + 1, 5, 6);
            expected = i == 0 ? expected : expected + ((values[i] - expected) * constant);
            Assert.Equal(expected, tensorwise.min_val.item<float>());
            Assert.Equal([expected, 5f], channelwise.min_val.data<float>().ToArray());
        }
        Assert.Equal(6f, channelwise.max_val[1].item<float>());
    }

    [Fact]
    public void A_constant_of_one_remembers_the_last_batch_only()
    {
        using var observer = new MovingAverageMinMaxObserver(1);
        Record(observer, -9, 9);
        Record(observer, -1, 3);
        Assert.Equal((-1f, 3f), (observer.min_val.item<float>(), observer.max_val.item<float>()));
    }

    [Property]
    public void Shards_of_running_extremes_merge_exactly(float[] first, float[] second)
    {
        foreach (var make in new Func<RangeObserverBase>[] { () => new MinMaxObserver(), () => new PerChannelMinMaxObserver(1, qdtype.qint8) })
        {
            using var one = make();
            using var left = make();
            using var right = make();
            foreach (var (shard, values) in new[] { (left, Numbers(first)), (right, Numbers(second)) })
            {
                Record(one, [values.Length, 1], values);
                Record(shard, [values.Length, 1], values);
            }
            left.Merge(right);
            Assert.Equal(one.min_val.data<float>().ToArray(), left.min_val.data<float>().ToArray());
            Assert.Equal(one.max_val.data<float>().ToArray(), left.max_val.data<float>().ToArray());
        }
    }

    [Property]
    public void Shards_of_averages_merge_to_rounding(float[] first, float[] second)
    {
        foreach (var make in new Func<RangeObserverBase>[] { () => new MovingAverageMinMaxObserver(0.3f), () => new MovingAveragePerChannelMinMaxObserver(0.3f) })
        {
            using var one = make();
            using var left = make();
            using var right = make();
            foreach (var (shard, values) in new[] { (left, Numbers(first)), (right, Numbers(second)) })
                foreach (var value in values)
                {
                    Record(one, [1, 2], value, value + 1);
                    Record(shard, [1, 2], value, value + 1);
                }
            left.Merge(right);
            var bound = 1e-5f * (1 + Numbers(first).Concat(Numbers(second)).Select(MathF.Abs).DefaultIfEmpty().Max());
            foreach (var (expected, merged) in one.min_val.data<float>().ToArray().Zip(left.min_val.data<float>().ToArray()).Where(pair => float.IsFinite(pair.First)))
                Assert.InRange(merged, expected - bound, expected + bound);
            Assert.Equal(one.min_val.numel(), left.min_val.numel());
        }
    }

    [Fact]
    public void Merging_leaves_the_other_and_can_go_on()
    {
        foreach (var (observer, other) in EveryClass().Zip(EveryClass()))
        {
            using (observer)
            using (other)
            {
                Record(other, [1, 2], -1, 3);
                observer.Merge(other);
                Record(observer, [1, 2], -2, 8);
                Assert.Equal(-1f, other.min_val.sum().item<float>());
                Assert.True(observer.min_val.sum().item<float>() < -1);
                other.Merge(observer);
                observer.Merge(other);
            }
        }
    }

    [Fact]
    public void Only_observers_that_agree_merge()
    {
        using var observer = new PerChannelMinMaxObserver();
        using var wider = new PerChannelMinMaxObserver();
        using var other = new PerChannelMinMaxObserver(1);
        using var coarse = new PerChannelMinMaxObserver(eps: 1);
        using var average = new MovingAveragePerChannelMinMaxObserver();
        Assert.Contains("itself", Assert.Throws<ArgumentException>(() => observer.Merge(observer)).Message, StringComparison.Ordinal);
        Assert.Contains("ch_axis=1", Assert.Throws<ArgumentException>(() => observer.Merge(other)).Message, StringComparison.Ordinal);
        Assert.Contains("eps=1", Assert.Throws<ArgumentException>(() => observer.Merge(coarse)).Message, StringComparison.Ordinal);
        Assert.Contains("averaging_constant=0.01", Assert.Throws<ArgumentException>(() => observer.Merge(average)).Message, StringComparison.Ordinal);
        Record(observer, [2, 1], 1, 2);
        Record(wider, [3, 1], 1, 2, 3);
        Assert.Contains("2 channels and the other 3", Assert.Throws<ArgumentException>(() => observer.Merge(wider)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loaded_averages_do_not_merge_since_their_weight_is_unknown()
    {
        using var source = new MovingAverageMinMaxObserver();
        Record(source, 1, 2);
        using var loaded = new MovingAverageMinMaxObserver();
        loaded.load_state_dict(source.state_dict());
        using var observer = new MovingAverageMinMaxObserver();
        Assert.Contains("merge before saving", Assert.Throws<ArgumentException>(() => observer.Merge(loaded)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unseen_observers_take_over_statistics_alone_and_in_a_model()
    {
        foreach (var (observer, fresh) in EveryClass().Zip(EveryClass()))
        {
            using (observer)
            using (fresh)
            {
                Record(observer, [3, 2], -1, 3, 0, 2, 5, 6);
                Assert.Equal(["max_val", "min_val"], observer.state_dict().Keys.Order());
                using var model = nn.Sequential(("observer", observer));
                using var target = nn.Sequential(("observer", fresh));
                var state = quantization.get_observer_state_dict(model);
                Assert.Equal(["observer.max_val", "observer.min_val"], state.Keys.Order());
                quantization.load_observer_state_dict(target, state);
                Assert.Equal(observer.min_val.data<float>().ToArray(), fresh.min_val.data<float>().ToArray());
                Assert.Equal(observer.max_val.data<float>().ToArray(), fresh.max_val.data<float>().ToArray());
                state.Remove("observer.min_val");
                Assert.Contains("lack observer.min_val", Assert.Throws<ArgumentException>(() => quantization.load_observer_state_dict(target, state)).Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Contradictory_settings_and_values_without_a_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new MovingAverageMinMaxObserver(0));
        Assert.Throws<ArgumentException>(() => new MovingAverageMinMaxObserver(float.NaN));
        Assert.Throws<ArgumentException>(() => new MovingAveragePerChannelMinMaxObserver(1.5f));
        Assert.Throws<ArgumentException>(() => new MovingAverageMinMaxObserver(qscheme: qscheme.per_channel_affine));
        Assert.Throws<ArgumentException>(() => new MovingAveragePerChannelMinMaxObserver(qscheme: qscheme.per_tensor_affine));
        foreach (var observer in EveryClass())
        {
            using (observer)
            {
                Record(observer, [1, 2], -1, 3);
                foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                    Assert.Contains("NaN or infinite", Assert.Throws<ArgumentException>(() => Record(observer, [1, 2], 0, value)).Message, StringComparison.Ordinal);
                Assert.Equal((-1f, 3f), (observer.min_val.sum().item<float>(), observer.max_val.sum().item<float>()));
            }
        }
    }

    [Fact]
    public void Recording_leaves_no_tensor_behind()
    {
        foreach (var observer in EveryClass())
        {
            using (observer)
            {
                using var x = randn(4, 5);
                observer.call(x).Dispose();
                using var scope = NewDisposeScope();
                observer.call(x).Dispose();
                Assert.Equal(0, scope.DisposablesCount);
            }
        }
    }

    internal static void Record(ObserverBase observer, long[] shape, params float[] values)
    {
        using var x = tensor(values, shape);
        observer.call(x).Dispose();
    }

    private static void Record(ObserverBase observer, float first, float second) => Record(observer, [2], first, second);

    private static (float Scale, long ZeroPoint) Observed(ObserverBase observer, float first, float second)
    {
        Record(observer, first, second);
        var (scale, zeroPoint) = observer.calculate_qparams();
        using (scale)
        using (zeroPoint)
            return (scale.item<float>(), zeroPoint.item<long>());
    }

    internal static float[] Numbers(float[]? values) => [.. (values ?? []).Where(v => float.IsFinite(v) && MathF.Abs(v) < 1e30f)];
}
