namespace TorchQuant.Interactive;

/// <summary>A standing bar from Low[i] to High[i] at each X[i], such as the least and the greatest weight of each channel.</summary>
public sealed record RangeSeries : Series
{
    /// <summary>Bars from low[i] to high[i] at x[i].</summary>
    /// <exception cref="ArgumentException">The lengths differ, or a lower end is above its upper end.</exception>
    public RangeSeries(string name, Values x, Values low, Values high) : base(name)
    {
        CheckSameLength(name, low, "lower", high, "upper");
        CheckSameLength(name, x, "x", low, "lower");
        for (var i = 0; i < low.Count; i++)
            if (low[i] > high[i]) throw new ArgumentException($"Ranges '{name}': the lower end {i} ({low[i]}) is above its upper end ({high[i]}).");
        (X, Low, High) = (x, low, high);
    }

    /// <summary>Bars at 0, 1, 2, …: the indices of channels.</summary>
    public RangeSeries(string name, Values low, Values high) : this(name, Values.Sequence(low.Count, 0), low, high) { }

    /// <summary>Where the bars stand.</summary>
    public Values X { get; }

    /// <summary>The lower ends.</summary>
    public Values Low { get; }

    /// <summary>The upper ends.</summary>
    public Values High { get; }

    internal override IEnumerable<double> XValues => X.Concat(X);

    internal override IEnumerable<double> YValues => Low.Concat(High);
}
