using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>How the bars of a category stand.</summary>
public enum BarLayout
{
    /// <summary>Next to each other.</summary>
    Grouped,

    /// <summary>On top of each other; negative values below zero, the total is written at the end. Not for logarithmic axes.</summary>
    Stacked,
}

/// <summary>One bar per category.</summary>
public sealed record BarSeries
{
    /// <summary>Bars of the given lengths.</summary>
    public BarSeries(string name, Values values) => (Name, Values) = (name, values);

    /// <summary>Bars with a spread: a thin line from low[i] to high[i] at the end of bar i, such as the fastest and the slowest run round a median.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public BarSeries(string name, Values values, Values low, Values high) : this(name, values)
    {
        if (low.Count != values.Count || high.Count != values.Count)
            throw new ArgumentException($"Bars '{name}' have {values.Count} values, {low.Count} lower and {high.Count} upper ends of their spread; give one of each per category.");
        (Low, High) = (low, high);
    }

    /// <summary>The name in the legend; when it names a data type it gets that type's fixed colour.</summary>
    public string Name { get; }

    /// <summary>The lengths.</summary>
    public Values Values { get; }

    /// <summary>The lower ends of the spread; null: no spread.</summary>
    public Values? Low { get; }

    /// <summary>The upper ends of the spread; null: no spread.</summary>
    public Values? High { get; }

    /// <summary>A colour as #rrggbb; null: by <see cref="Name"/>, else the next of <see cref="Palette.Series"/>. When no series names a data type, the bars of a single series, and of stacks whose categories all name one, take the colour that their category names.</summary>
    public string? Color { get; init; }
}

/// <summary>A chart of bars, one group or stack per category.</summary>
public sealed record BarChart : Chart
{
    /// <summary>A chart of <paramref name="bars"/>.</summary>
    /// <exception cref="ArgumentException">A series has not one value per category.</exception>
    public BarChart(string title, IReadOnlyList<string> categories, IReadOnlyList<BarSeries> bars) : base(title)
    {
        foreach (var series in bars)
            if (series.Values.Count != categories.Count)
                throw new ArgumentException($"Chart '{title}' has {categories.Count} categories, but the bars '{series.Name}' have {series.Values.Count} values; give one value per category.");
        (Categories, Series) = ([.. categories], [.. bars]);
    }

    /// <summary>The names of the groups.</summary>
    public IReadOnlyList<string> Categories { get; }

    /// <summary>The series.</summary>
    public IReadOnlyList<BarSeries> Series { get; }

    /// <summary>The axis of the lengths. Linear axes start at zero.</summary>
    public Axis Value { get; init; } = new();

    /// <summary>What the categories are; may be empty.</summary>
    public string CategoryLabel { get; init; } = "";

    /// <summary>Next to or on top of each other.</summary>
    public BarLayout Layout { get; init; }

    /// <summary>True: the bars lie, categories from top to bottom; better for long names.</summary>
    public bool Horizontal { get; init; }

    /// <summary>Values to compare with.</summary>
    public IReadOnlyList<ReferenceLine> References { get; init => field = [.. value]; } = [];

    internal override Scene Draw() => BarPlot.Draw(this);
}
