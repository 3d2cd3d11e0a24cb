namespace TorchQuant.Interactive;

/// <summary>Counts of values in adjoining bins: <c>Counts[i]</c> values lie in [Edges[i], Edges[i + 1]); the last bin includes its upper edge.</summary>
public sealed record HistogramSeries : Series
{
    /// <summary>A histogram that was counted elsewhere.</summary>
    /// <exception cref="ArgumentException">There is not one edge more than counts, or the edges do not increase.</exception>
    public HistogramSeries(string name, Values edges, Values counts) : base(name)
    {
        if (edges.Count != counts.Count + 1 && !(edges.Count == 0 && counts.Count == 0))
            throw new ArgumentException($"Histogram '{name}' has {edges.Count} edges and {counts.Count} counts; it needs one edge more than counts.");
        for (var i = 1; i < edges.Count; i++)
            if (!(edges[i] > edges[i - 1]))
                throw new ArgumentException($"Histogram '{name}': edge {i} ({edges[i]}) is not above edge {i - 1} ({edges[i - 1]}); edges must increase.");
        (Edges, Counts) = (edges, counts);
    }

    /// <summary>The bins' borders, one more than counts.</summary>
    public Values Edges { get; }

    /// <summary>How many values lie in each bin.</summary>
    public Values Counts { get; }

    /// <summary>How many values are in no bin: NaN, infinite, or beyond the edges.</summary>
    public long NotCounted { get; init; }

    internal override IEnumerable<double> XValues => Edges;

    internal override IEnumerable<double> YValues => Counts;

    /// <summary>
    /// Counts <paramref name="values"/> in <paramref name="bins"/> bins of equal width. What is in no bin is counted in <see cref="NotCounted"/>. Histograms that are compared need the same bins: give them the
    /// same <paramref name="from"/> and <paramref name="to"/>.
    /// </summary>
    /// <param name="name">The name in the legend.</param>
    /// <param name="values">The values.</param>
    /// <param name="bins">How many bins.</param>
    /// <param name="from">The lowest edge; null: the least finite value.</param>
    /// <param name="to">The highest edge; null: the greatest finite value.</param>
    public static HistogramSeries Count(string name, ReadOnlySpan<float> values, int bins = 80, double? from = null, double? to = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        (low, high) = (from ?? low, to ?? high);
        if (!(double.IsFinite(low) && double.IsFinite(high) && low <= high)) return new HistogramSeries(name, Values.Empty, Values.Empty) { NotCounted = values.Length };
        // One value only: a bin of some width round it.
        if (low == high) (low, high) = (low - Math.Max(Math.Abs(low) * 0.05, 1e-40), high + Math.Max(Math.Abs(high) * 0.05, 1e-40));
        var counts = new double[bins];
        long outside = 0;
        foreach (var value in values)
        {
            // Written so that NaN is outside.
            if (value >= low && value <= high && float.IsFinite(value)) counts[Math.Clamp((int)((value - low) / (high - low) * bins), 0, bins - 1)]++;
            else outside++;
        }
        var edges = new double[bins + 1];
        for (var i = 0; i < bins; i++) edges[i] = low + (high - low) * i / bins;
        edges[bins] = high;
        return new HistogramSeries(name, edges, counts) { NotCounted = outside };
    }
}
