using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

public class HistogramObserverTests
{
    // Made by Oracles/make_histogram_randn.py.
    internal static float[] Normal { get; } = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(NormalPath())).ToArray();

    // Computed by PyTorch's current algorithm in float32 on the same numbers.
    [Theory]
    [InlineData("x", -4.34328f, 4.09737f, 0.0331006f, 131, 0.0664618f, 65)]
    [InlineData("x, 2x", -8.68656f, 7.85662f, 0.0648752f, 134, 0.1302613f, 67)]
    [InlineData("x and 40", -4.34328f, 39.9783f, 0.1738103f, 25, 0.3489892f, 12)]
    [InlineData("relu(x)", 0f, 3.92926f, 0.0154089f, 0, 0.0309391f, 0)]
    public void Range_scale_and_zero_point_are_PyTorchs(string data, float min, float max, float scale, int zeroPoint, float reducedScale, int reducedZeroPoint)
    {
        float[][] batches = data switch
        {
            "x" => [Normal],
            "x, 2x" => [Normal, [.. Normal.Select(v => 2 * v)]],
            "x and 40" => [[.. Normal, 40]],
            _ => [[.. Normal.Select(v => MathF.Max(v, 0))]],
        };
        foreach (var (reduce, expectedScale, expectedZeroPoint) in new[] { (false, scale, zeroPoint), (true, reducedScale, reducedZeroPoint) })
        {
            using var observer = new HistogramObserver(reduce_range: reduce);
            foreach (var batch in batches)
                Record(observer, batch);
            Assert.Equal(min, observer.ClippedRange.Min, 1e-5f);
            Assert.Equal(max, observer.ClippedRange.Max, 1e-4f);
            var (chosenScale, chosenZeroPoint) = QParamsOf(observer);
            Assert.Equal(expectedScale, chosenScale, 1e-7f + (1e-6f * expectedScale));
            Assert.Equal(expectedZeroPoint, chosenZeroPoint);
        }
    }

    [Property]
    public void One_batch_is_counted_exactly_as_plainly(float[] values, byte size)
    {
        var batch = RangeObserverTests.Numbers(values);
        using var observer = new HistogramObserver(2 + size);
        var plain = new PlainHistogram(2 + size);
        Record(observer, batch);
        plain.Add(batch);
        Assert.Equal(plain.Mass, observer.histogram.data<float>().ToArray().Select(m => (double)m));
    }

    [Property]
    public void Streams_are_counted_as_plainly_to_one_part_on_an_edge(byte[] sizes, int seed)
    {
        var random = new Random(seed);
        using var observer = new HistogramObserver(64);
        var plain = new PlainHistogram(64);
        var total = 0;
        foreach (var size in sizes.Take(6))
        {
            var (shift, spread) = ((float)(random.NextDouble() * 4) - 2, (float)random.NextDouble() * 3);
            float[] batch = [.. Enumerable.Range(0, size).Select(_ => shift + (spread * (float)random.NextDouble()))];
            Record(observer, batch);
            plain.Add(batch);
            total += size;
        }
        var mass = observer.histogram.data<float>().ToArray();
        Assert.Equal(total, mass.Sum(m => (double)m), 1e-3 + (1e-6 * total));
        if (total == 0)
            return;
        Assert.Equal((plain.Min, plain.Max), (observer.min_val.item<float>(), observer.max_val.item<float>()));
        // A part whose middle is on an edge to rounding may go to either side, here and at every later widening.
        AssertNear(plain.Mass, mass, slack: 1);
    }

    [Property]
    public void Merged_shards_equal_one_observer_within_two_bins(float[] first, float[] second)
    {
        float[] a = Moderate(first), b = Moderate(second), all = [.. a, .. b];
        if (all.Length == 0)
            return;
        using var left = new HistogramObserver(32);
        using var right = new HistogramObserver(32);
        using var one = new HistogramObserver(32);
        Record(left, a);
        Record(right, b);
        Record(one, all);
        left.Merge(right);
        Assert.Equal((one.min_val.item<float>(), one.max_val.item<float>()), (left.min_val.item<float>(), left.max_val.item<float>()));
        AssertNear([.. one.histogram.data<float>().ToArray().Select(m => (double)m)], left.histogram.data<float>().ToArray(), slack: 2);
    }

    [Fact]
    public void Shards_of_the_same_range_merge_exactly()
    {
        using var left = new HistogramObserver();
        using var right = new HistogramObserver();
        using var one = new HistogramObserver();
        float[] a = [-5, .. Normal[..5000], 5], b = [-5, .. Normal[5000..], 5];
        Record(left, a);
        Record(right, b);
        Record(one, [.. a, .. b]);
        left.Merge(right);
        Assert.Equal(one.histogram.data<float>().ToArray(), left.histogram.data<float>().ToArray());
        Assert.Equal(QParamsOf(one), QParamsOf(left));
    }

    [Fact]
    public void Equal_values_keep_their_mass_when_others_follow()
    {
        using var observer = new HistogramObserver(4);
        Record(observer, [1, 1, 1]);
        Assert.Equal(1f / 255, QParamsOf(observer).Scale, 1e-9f);
        Record(observer, [0, 4]);
        Assert.Equal([1f, 3f, 0f, 1f], observer.histogram.data<float>().ToArray());
    }

    [Fact]
    public void Statistics_round_trip_through_the_state_dict()
    {
        using var observer = new HistogramObserver();
        using var loaded = new HistogramObserver();
        Record(observer, Normal);
        Assert.Equal(["histogram", "max_val", "min_val"], observer.state_dict().Keys.Order());
        loaded.load_state_dict(observer.state_dict());
        Assert.Equal(QParamsOf(observer), QParamsOf(loaded));
        using var merged = new HistogramObserver();
        merged.Merge(loaded);
        Assert.Equal(QParamsOf(observer), QParamsOf(merged));
    }

    [Fact]
    public void What_no_histogram_holds_is_refused_and_changes_nothing()
    {
        using var observer = new HistogramObserver();
        Assert.Contains("HistogramObserver has observed nothing", Assert.Throws<InvalidOperationException>(() => observer.calculate_qparams()).Message, StringComparison.Ordinal);
        Record(observer, [-1, 3]);
        var before = QParamsOf(observer);
        foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue })
            Assert.Throws<ArgumentException>(() => Record(observer, [0, value]));
        Record(observer, []);
        Assert.Equal(before, QParamsOf(observer));
        Assert.Throws<ArgumentException>(() => new HistogramObserver(1));
        Assert.Throws<ArgumentException>(() => new HistogramObserver(qscheme: qscheme.per_channel_affine));
        using var finer = new HistogramObserver(4096);
        Assert.Contains("bins=4096", Assert.Throws<ArgumentException>(() => observer.Merge(finer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recording_widening_and_merging_leave_no_tensor_behind()
    {
        using var observer = new HistogramObserver();
        using var other = new HistogramObserver();
        using var small = randn(100);
        using var large = small * 3;
        using var scope = NewDisposeScope();
        observer.call(small).Dispose();
        observer.call(large).Dispose();
        other.call(small).Dispose();
        other.Merge(observer);
        observer.ClippedRange.ToString();
        Assert.Equal(0, scope.DisposablesCount);
    }

    internal static void Record(ObserverBase observer, float[] batch) => RangeObserverTests.Record(observer, [batch.Length], batch);

    internal static (float Scale, long ZeroPoint) QParamsOf(ObserverBase observer)
    {
        var (scale, zeroPoint) = observer.calculate_qparams();
        using (scale)
        using (zeroPoint)
            return (scale.item<float>(), zeroPoint.item<long>());
    }

    /// <summary>No mass lies more than <paramref name="slack"/> bins from where it is expected.</summary>
    private static void AssertNear(double[] expected, float[] actual, int slack)
    {
        double Below(int edge) => expected.Take(Math.Clamp(edge, 0, expected.Length)).Sum();
        var tolerance = 1e-3 + (1e-6 * expected.Sum());
        double sum = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            sum += actual[i];
            Assert.InRange(sum, Below(i + 1 - slack) - tolerance, Below(i + 1 + slack) + tolerance);
        }
    }

    private static float[] Moderate(float[]? values) => [.. RangeObserverTests.Numbers(values).Where(v => MathF.Abs(v) is 0 or (> 1e-20f and < 1e20f))];

    private static string NormalPath([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "Oracles", "histogram_randn.bin");
}
