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

    /// <summary>How many values were NaN or infinite and are in no bin.</summary>
    public long NotCounted { get; init; }

    internal override IEnumerable<double> XValues => Edges;

    internal override IEnumerable<double> YValues => Counts;

    /// <summary>
    /// Counts <paramref name="values"/> in <paramref name="bins"/> bins of equal width from the least to the greatest value. NaN and infinities are counted in <see cref="NotCounted"/>.
    /// </summary>
    public static HistogramSeries Count(string name, ReadOnlySpan<float> values, int bins = 80)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        if (low > high) return new HistogramSeries(name, Values.Empty, Values.Empty) { NotCounted = values.Length };
        // One value only: a bin of some width round it. Doubles hold the difference of any two floats and the edges between them.
        var range = (double)high - low;
        var start = low - (range > 0 ? 0 : Math.Max(Math.Abs(low) * 0.05, 1e-40));
        if (range == 0) range = 2 * ((double)low - start);
        var counts = new double[bins];
        long outside = 0;
        foreach (var value in values)
        {
            if (float.IsFinite(value)) counts[Math.Clamp((int)((value - start) / range * bins), 0, bins - 1)]++;
            else outside++;
        }
        var edges = new double[bins + 1];
        for (var i = 0; i <= bins; i++) edges[i] = start + range * i / bins;
        // The rounded sum can fall short of the greatest value.
        edges[bins] = Math.Max(edges[bins], high);
        return new HistogramSeries(name, edges, counts) { NotCounted = outside };
    }
}
