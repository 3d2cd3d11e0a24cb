using System.Globalization;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The base of the observers that keep a histogram of everything they have seen, between the smallest and the largest value seen, and clip that range before they
/// choose scale and zero point by the formulas of <see cref="UniformQuantizationObserverBase"/>.</summary>
/// <remarks>
/// A value x falls into bin floor((x - min) * bins / (max - min)), the largest into the last, all in float32. A batch that widens the range: each old bin is cut into 16
/// equal parts, and a part's mass goes to the new bin that holds its middle. No mass is lost, and none moves farther than one old and one new bin.
/// An old range of a single value goes as a whole to the bin that holds it. This is PyTorch's algorithm since mid-2024 (PR 129387, 130316); earlier ones cut the range to
/// integers. NaN and infinite values are refused, where PyTorch drops infinite ones.
/// </remarks>
public abstract class HistogramObserverBase : UniformQuantizationObserverBase
{
    private const int UpsampleRate = 16;

    /// <summary>Beyond this, the arithmetic on bins overflows float32.</summary>
    private const float WidestRange = 1e32f;

    /// <summary>Checks and keeps the settings.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="bins">The number of bins, at least 2.</param>
    /// <param name="dtype">qint8, quint8, qint32 or quint4x2.</param>
    /// <param name="qscheme">A scheme per tensor.</param>
    /// <param name="reduce_range">Whether the range of codes is halved.</param>
    /// <param name="quant_min">The smallest code; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    private protected HistogramObserverBase(
        string name, int bins, qdtype dtype, qscheme qscheme, bool reduce_range, int? quant_min, int? quant_max, float? eps)
        : base(name, dtype, qscheme, reduce_range, quant_min, quant_max, eps)
    {
        RequireScheme(qscheme.per_tensor_affine, qscheme.per_tensor_symmetric);
        if (bins is < 2 or > 1 << 20)
            throw new ArgumentException($"bins is the number of bins, 2 to {1 << 20}; found {bins}.", nameof(bins));
        this.bins = bins;
        min_val = tensor(float.PositiveInfinity);
        max_val = tensor(float.NegativeInfinity);
        histogram = zeros(bins);
    }

    /// <summary>The number of bins.</summary>
    public int bins { get; }

    /// <summary>How many values fell into each bin, [bins] float32, from <c>min_val</c> to <c>max_val</c>; fractions come from widening the range.</summary>
    public Tensor histogram
    {
        get => get_buffer(nameof(histogram))!;
        private set => Keep(nameof(histogram), value);
    }

    /// <summary>The clipped range that scale and zero point follow from.</summary>
    /// <exception cref="InvalidOperationException">Nothing was observed.</exception>
    public (float Min, float Max) ClippedRange
    {
        get
        {
            var (min, max) = ChosenRange();
            return (min[0], max[0]);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values, or a range wider than 1e32.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.numel() > 0)
        {
            using var noGrad = no_grad();
            using var values = input.to(ScalarType.Float32);
            using var low = values.min();
            using var high = values.max();
            RequireFinite(low, high);
            var (seen, batch) = (Range, (Min: low.item<float>(), Max: high.item<float>()));
            var united = Union(seen, batch);
            var counted = Count(values, united);
            Add(seen, united, counted);
        }
        return input.alias();
    }

    /// <inheritdoc/>
    protected override void MergeStatistics(UniformQuantizationObserverBase other)
    {
        var shard = (HistogramObserverBase)other;
        using var noGrad = no_grad();
        var (seen, theirs) = (Range, shard.Range);
        var united = Union(seen, theirs);
        Add(seen, united, shard.Spread(theirs, united));
    }

    /// <summary>Chooses the clipped range.</summary>
    /// <param name="statistics">What was observed; the smallest value is less than the largest.</param>
    private protected abstract (float Min, float Max) Clip(HistogramStatistics statistics);

    /// <inheritdoc/>
    private protected override (float[] Min, float[] Max) ChosenRange()
    {
        var (min, max) = base.ChosenRange();
        if (min[0] == max[0])
            return (min, max);
        var (low, high) = Clip(new HistogramStatistics(histogram.data<float>().ToArray(), min[0], max[0]));
        return ([low], [high]);
    }

    /// <inheritdoc/>
    private protected override string OwnSettings => string.Create(CultureInfo.InvariantCulture, $", bins={bins}");

    /// <summary>Null before anything was observed.</summary>
    private (float Min, float Max)? Range => HasObserved ? (min_val.item<float>(), max_val.item<float>()) : null;

    private (float Min, float Max) Union((float Min, float Max)? seen, (float Min, float Max)? more)
    {
        var united = (Min: MathF.Min(seen?.Min ?? float.PositiveInfinity, more?.Min ?? float.PositiveInfinity), Max: MathF.Max(seen?.Max ?? float.NegativeInfinity, more?.Max ?? float.NegativeInfinity));
        return united.Max - united.Min <= WidestRange
            ? united
            : throw new ArgumentException($"{GetName()} has seen values from {united.Min} to {united.Max}, which no histogram resolves: look for the module that makes them.");
    }

    /// <summary>The histogram of values that all lie in the range.</summary>
    private Tensor Count(Tensor values, (float Min, float Max) range)
    {
        // TorchSharp's histc takes integer bounds only: the values are mapped to bin numbers first, with the operations and in the order of libtorch's own histc.
        if (range.Min == range.Max)
            return OneBin(bins / 2, values.numel());
        using var positions = values.sub(range.Min);
        positions.mul_(bins).div_(range.Max - range.Min).clamp_(0, bins);
        return positions.histc(bins, 0, bins);
    }

    /// <summary>This observer's histogram over a range that holds its own.</summary>
    private Tensor Spread((float Min, float Max)? seen, (float Min, float Max) united)
    {
        if (seen is not var (min, max))
            return zeros(bins);
        if ((min, max) == united)
            return histogram.clone();
        if (min == max)
        {
            using var total = histogram.sum();
            var bin = (int)MathF.Min((min - united.Min) * bins / (united.Max - united.Min), bins - 1);
            return OneBin(bin, total.item<float>());
        }
        using var repeated = histogram.repeat_interleave(UpsampleRate);
        using var parts = repeated.div(UpsampleRate);
        using var starts = linspace(min, max, (bins * UpsampleRate) + 1);
        using var lower = starts.narrow(0, 0, bins * UpsampleRate);
        using var middles = lower.add(0.5f * ((max - min) / (bins * UpsampleRate)));
        using var edges = linspace(united.Min, united.Max, bins + 1);
        using var above = bucketize(middles, edges, outInt32: false, right: true);
        using var target = above.sub(1);
        target.clamp_(0, bins - 1);
        using var sums = target.bincount(parts, bins);
        return sums.to(ScalarType.Float32, copy: true);
    }

    private Tensor OneBin(int bin, float mass)
    {
        var counts = new float[bins];
        counts[bin] = mass;
        return tensor(counts);
    }

    /// <summary>Takes ownership of <paramref name="counted"/>, which is over the united range.</summary>
    private void Add((float Min, float Max)? seen, (float Min, float Max) united, Tensor counted)
    {
        using (counted)
        {
            using var spread = Spread(seen, united);
            spread.add_(counted);
            histogram.copy_(spread);
        }
        min_val.fill_(united.Min);
        max_val.fill_(united.Max);
    }
}
