using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Tests.Observers;

/// <summary>The observers that PyTorch lacks: percentile, entropy and squared error.</summary>
public class ClippingObserverTests
{
    private static readonly float[] OneOutlier = [.. HistogramObserverTests.Normal[..9999], 40];

    [Fact]
    public void An_outlier_that_HistogramObserver_keeps_is_clipped_by_percentile_and_entropy()
    {
        Assert.True(Range(new HistogramObserver(), OneOutlier).Max > 39.9f);
        foreach (var observer in new HistogramObserverBase[] { new PercentileObserver(), new EntropyObserver(), new EntropyObserver(reduce_range: true) })
        {
            var (min, max) = Range(observer, OneOutlier);
            Assert.InRange(max, 3f, 4.2f);
            Assert.InRange(min, -4.35f, -3f);
        }
    }

    [Fact]
    public void Squared_error_clips_an_outlier_a_little_with_8_bits_and_hard_with_4()
    {
        // With s steps over [a, t], 9 999 values cost 9999 ((t - a) / s)^2 / 12 and the outlier (40 - t)^2: the least is near t = 39.5 for 256 steps, as exactly as the values' places in the steps allow.
        Assert.InRange(Range(new MseObserver(), OneOutlier).Max, 39f, 39.9f);
        var (min, max) = Range(new MseObserver(dtype: qdtype.quint4x2), OneOutlier);
        Assert.InRange(max, 3f, 10f);
        Assert.InRange(min, -4.35f, -2f);
    }

    [Fact]
    public void Clipping_the_outlier_lowers_the_error_of_all_other_values()
    {
        var kept = ErrorOfTheBulk(new HistogramObserver());
        Assert.True(ErrorOfTheBulk(new PercentileObserver()) < kept / 10);
        Assert.True(ErrorOfTheBulk(new EntropyObserver()) < kept / 10);
    }

    [Property]
    public void Percentile_clips_at_each_end_as_much_as_allowed_and_no_more(float[] values, byte permille)
    {
        float[] batch = [.. RangeObserverTests.Numbers(values).Where(v => MathF.Abs(v) is 0 or (> 1e-10f and < 1e10f)), -1, 2];
        var percentile = 100 - (permille / 10.0);
        if (percentile <= 50)
            return;
        using var observer = new PercentileObserver(percentile, 64);
        HistogramObserverTests.Record(observer, batch);
        var (min, max) = observer.ClippedRange;
        var width = (batch.Max() - batch.Min()) / 64;
        var allowed = batch.Length * permille / 1000.0 * (1 + 1e-6);
        float slack = 1e-3f * width, first = batch.Min(), last = batch.Max();
        Assert.True(batch.Count(v => v < min - slack) <= allowed);
        Assert.True(batch.Count(v => v > max + slack) <= allowed);
        if (max - min > 1.5f * width)
        {
            Assert.True(batch.Count(v => v < min + width + slack) > allowed || min + width + slack > last);
            Assert.True(batch.Count(v => v >= max - width - slack) > allowed || max - width - slack < first);
        }
    }

    [Fact]
    public void Percentile_100_and_data_without_tails_are_not_clipped()
    {
        Assert.Equal((-4.34328f, 40f), Rounded(Range(new PercentileObserver(100), OneOutlier)));
        float[] even = [.. Enumerable.Range(0, 20000).Select(i => (i / 10000f) - 1)];
        foreach (var observer in new HistogramObserverBase[] { new MseObserver(), new EntropyObserver() })
        {
            var (min, max) = Range(observer, even);
            Assert.InRange(min, -1f, -0.99f);
            Assert.InRange(max, 0.99f, 1f);
        }
    }

    [Fact]
    public void One_sided_data_keep_their_zero()
    {
        float[] positive = [.. OneOutlier.Select(v => MathF.Max(v, 0))];
        foreach (var observer in new HistogramObserverBase[] { new PercentileObserver(), new MseObserver(), new EntropyObserver() })
        {
            using (observer)
            {
                HistogramObserverTests.Record(observer, positive);
                Assert.Equal(0, HistogramObserverTests.QParamsOf(observer).ZeroPoint);
            }
        }
    }

    [Fact]
    public void Zeros_of_a_ReLU_do_not_narrow_the_range_of_the_rest()
    {
        float[] activations = [.. OneOutlier.Where(v => v < 5).Select(v => MathF.Max(v, 0))];
        var (_, max) = Range(new EntropyObserver(), activations);
        Assert.InRange(max, 0.6f * activations.Max(), activations.Max());
        Assert.InRange(activations.Count(v => v == 0), 0.4 * activations.Length, 0.6 * activations.Length);
    }

    [Property]
    public void Squared_error_is_that_of_quantizing_values_spread_evenly_in_the_bins(byte[] counts, byte start, byte end, byte levels)
    {
        if (counts.Length < 2)
            return;
        var (first, last) = (Math.Min(start % counts.Length, end % counts.Length), Math.Max(start % counts.Length, end % counts.Length));
        var (steps, min, width) = ((levels % 20) + 1, -1.5, 0.25);
        var statistics = new HistogramStatistics([.. counts.Select(c => (float)c)], -1.5f, (float)(min + (width * counts.Length)));
        double expected = 0, step = width * (last - first + 1) / steps, origin = min + (width * first);
        const int Points = 400;
        for (var bin = 0; bin < counts.Length; bin++)
            for (var point = 0; point < Points; point++)
            {
                var x = min + (width * (bin + ((point + 0.5) / Points)));
                var middle = origin + (step * (Math.Clamp(Math.Floor((x - origin) / step), 0, steps - 1) + 0.5));
                expected += (x - middle) * (x - middle) * counts[bin] / Points;
            }
        Assert.Equal(expected, statistics.SquaredError(first, last, steps), 1e-9 + (0.02 * expected));
    }

    [Property]
    public void Divergence_is_never_negative_and_zero_where_every_bin_is_its_own_group(byte[] counts)
    {
        if (counts.All(c => c == 0))
            return;
        float[] mass = [.. counts.Select(c => (float)c)];
        for (var groups = 1; groups <= mass.Length; groups++)
            Assert.True(EntropyObserver.Divergence(mass, 0, mass.Length - 1, groups) >= -1e-9);
        Assert.Equal(0, EntropyObserver.Divergence(mass, 0, mass.Length - 1, mass.Length), 1e-9);
    }

    [Fact]
    public void Divergence_is_Migaczs_on_a_worked_example()
    {
        // Bins 1..4 of six, in two groups: P = (1 + 2, 3, 0, 4 + 5) / 15, Q = (2.5, 2.5, 0, 4) / 9.
        var expected = (3 * Math.Log(3 / 15.0 / (2.5 / 9)) + 3 * Math.Log(3 / 15.0 / (2.5 / 9)) + 9 * Math.Log(9 / 15.0 / (4 / 9.0))) / 15;
        Assert.Equal(expected, EntropyObserver.Divergence([1, 2, 3, 0, 4, 5], 1, 4, 2), 1e-12);
        Assert.Equal(double.PositiveInfinity, EntropyObserver.Divergence([1, 2, 0, 3], 0, 2, 3));
    }

    [Fact]
    public void Merged_shards_choose_what_one_observer_chooses()
    {
        float[] a = [-5, .. HistogramObserverTests.Normal[..5000], 40], b = [-5, .. HistogramObserverTests.Normal[5000..], 40];
        foreach (var make in new Func<HistogramObserverBase>[] { () => new PercentileObserver(), () => new MseObserver(), () => new EntropyObserver() })
        {
            using var left = make();
            using var right = make();
            HistogramObserverTests.Record(left, a);
            HistogramObserverTests.Record(right, b);
            left.Merge(right);
            Assert.Equal(Range(make(), [.. a, .. b]), left.ClippedRange);
        }
        using var fine = new PercentileObserver(99.9);
        using var coarse = new PercentileObserver();
        Assert.Contains("percentile=99.99", Assert.Throws<ArgumentException>(() => fine.Merge(coarse)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_percentile_that_is_none_is_refused()
    {
        foreach (var percentile in new[] { 50, 100.1, double.NaN })
            Assert.Contains("more than 50", Assert.Throws<ArgumentException>(() => new PercentileObserver(percentile)).Message, StringComparison.Ordinal);
    }

    private static (float Min, float Max) Range(HistogramObserverBase observer, float[] batch)
    {
        using (observer)
        {
            HistogramObserverTests.Record(observer, batch);
            return observer.ClippedRange;
        }
    }

    private static (float, float) Rounded((float Min, float Max) range) => (MathF.Round(range.Min, 5), MathF.Round(range.Max, 5));

    private static double ErrorOfTheBulk(HistogramObserverBase observer)
    {
        using (observer)
        {
            HistogramObserverTests.Record(observer, OneOutlier);
            var (scale, zeroPoint) = HistogramObserverTests.QParamsOf(observer);
            return OneOutlier[..9999].Sum(x => Math.Pow(x - (scale * (Math.Clamp(zeroPoint + MathF.Round(x / scale), 0, 255) - zeroPoint)), 2));
        }
    }
}
