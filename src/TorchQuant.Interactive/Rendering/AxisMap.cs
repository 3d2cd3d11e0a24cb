namespace TorchQuant.Interactive.Rendering;

/// <summary>An axis with its range and ticks: which numbers it can place, and where in [0, 1].</summary>
internal sealed class AxisMap
{
    private readonly AxisScale _scale;
    private readonly double _low, _high;

    private AxisMap(AxisScale scale, TickSet ticks)
    {
        (_scale, Ticks) = (scale, ticks);
        (_low, _high) = scale == AxisScale.Linear ? (ticks.Low, ticks.High) : (Math.Log10(ticks.Low), Math.Log10(ticks.High));
    }

    public TickSet Ticks { get; }

    /// <summary>Where bars start: zero, or the lower end where zero cannot be.</summary>
    public double Base => _scale == AxisScale.Linear && Ticks.Low <= 0 && Ticks.High >= 0 ? 0 : Ticks.Low;

    /// <summary>An axis over what can be placed of <paramref name="values"/>.</summary>
    /// <param name="axis">Its scale and how far it must reach.</param>
    /// <param name="values">The data.</param>
    /// <param name="includeZero">A linear axis reaches to zero: lengths of bars can be compared only then.</param>
    /// <param name="mostTicks">About how many labels there is room for.</param>
    /// <param name="tight">A linear axis ends where the data ends; otherwise at whole steps.</param>
    public static AxisMap Over(Axis axis, IEnumerable<double> values, bool includeZero, int mostTicks, bool tight = false)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        var ends = new[] { axis.From, axis.To }.Where(end => end is not null).Select(end => end!.Value);
        foreach (var value in values.Concat(ends))
        {
            if (!CanPlace(axis.Scale, value)) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        if (low > high) (low, high) = axis.Scale == AxisScale.Linear ? (0, 1) : (1, 10);
        if (includeZero && axis.Scale == AxisScale.Linear) (low, high) = (Math.Min(0, low), Math.Max(0, high));
        var ticks = axis.Scale == AxisScale.Linear ? Rendering.Ticks.Linear(low, high, mostTicks) : Rendering.Ticks.Logarithmic(low, high, mostTicks);
        // Where there is no zero, the shortest bar still has a length.
        if (includeZero && axis.Scale == AxisScale.Logarithmic) ticks = ticks with { Low = Math.Min(ticks.Low, Math.Max(low / 2, Rendering.Ticks.Smallest)) };
        return new AxisMap(axis.Scale, tight && axis.Scale == AxisScale.Linear ? ticks.Within(low, high) : ticks);
    }

    public bool CanPlace(double value) => CanPlace(_scale, value);

    /// <summary>0 at the lower end, 1 at the upper; <paramref name="value"/> must be placeable.</summary>
    public double At(double value) => Math.Clamp(((_scale == AxisScale.Linear ? value : Math.Log10(value)) - _low) / (_high - _low), 0, 1);

    /// <summary>Whether any of [from, to] lies on the axis.</summary>
    public bool Reaches(double from, double to) => to >= Ticks.Low && from <= Ticks.High;

    private static bool CanPlace(AxisScale scale, double value) =>
        double.IsFinite(value) && Math.Abs(value) <= Rendering.Ticks.Largest && (scale == AxisScale.Linear || value >= Rendering.Ticks.Smallest);
}
