namespace TorchQuant.Interactive;

/// <summary>Something drawn on two number axes, with a name for the legend.</summary>
/// <param name="Name">The name in the legend; when it names a data type (float, int8, float16, fake-quant) it gets that type's fixed colour.</param>
public abstract record Series(string Name)
{
    /// <summary>A colour as #rrggbb; null: by <see cref="Name"/>, else the next of <see cref="Palette.Series"/>.</summary>
    public string? Color { get; init; }

    internal abstract IEnumerable<double> XValues { get; }

    internal abstract IEnumerable<double> YValues { get; }

    private protected static void CheckSameLength(string name, Values first, string firstName, Values second, string secondName)
    {
        if (first.Count != second.Count)
            throw new ArgumentException($"Series '{name}' has {first.Count} {firstName} and {second.Count} {secondName} values; give one of each per point.");
    }
}

/// <summary>Points joined by a line. NaN and infinite points leave a gap.</summary>
public sealed record LineSeries : Series
{
    /// <summary>A line through (x[i], y[i]).</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public LineSeries(string name, Values x, Values y) : base(name)
    {
        CheckSameLength(name, x, "x", y, "y");
        (X, Y) = (x, y);
    }

    /// <summary>A line through (1, y[0]), (2, y[1]), …</summary>
    public LineSeries(string name, Values y) : this(name, Values.Sequence(y.Count), y) { }

    /// <summary>Where the points are.</summary>
    public Values X { get; }

    /// <summary>The value at each point.</summary>
    public Values Y { get; }

    internal override IEnumerable<double> XValues => X;

    internal override IEnumerable<double> YValues => Y;
}

/// <summary>Points that are not joined.</summary>
public sealed record PointSeries : Series
{
    /// <summary>Points (x[i], y[i]).</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public PointSeries(string name, Values x, Values y) : base(name)
    {
        CheckSameLength(name, x, "x", y, "y");
        (X, Y) = (x, y);
    }

    /// <summary>Where the points are.</summary>
    public Values X { get; }

    /// <summary>The value at each point.</summary>
    public Values Y { get; }

    /// <summary>What is written beside each point; empty: nothing. Labels keep clear of each other and of the points.</summary>
    /// <exception cref="ArgumentException">There is not one label per point.</exception>
    public IReadOnlyList<string> Labels
    {
        get;
        init => field = value.Count == 0 || value.Count == X.Count
            ? [.. value]
            : throw new ArgumentException($"Series '{Name}' has {X.Count} points and {value.Count} labels; give one label per point, or none.", nameof(value));
    } = [];

    internal override IEnumerable<double> XValues => X;

    internal override IEnumerable<double> YValues => Y;
}
