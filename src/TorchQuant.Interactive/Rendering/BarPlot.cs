namespace TorchQuant.Interactive.Rendering;

/// <summary>Lays out a <see cref="BarChart"/>: what both orientations share, and the choice between them.</summary>
internal static class BarPlot
{
    public const double ValueSize = 11.5;

    private static readonly string[] ReferenceDashes = ["5 4", "2 3", "10 4", "9 3 2 3"];

    /// <exception cref="ArgumentException">Stacked bars on a logarithmic axis, whose lengths would mean nothing.</exception>
    public static Scene Draw(BarChart chart)
    {
        if (chart.Layout == BarLayout.Stacked && chart.Value.Scale == AxisScale.Logarithmic)
            throw new ArgumentException($"Chart '{chart.Title}': stacked bars have no meaning on a logarithmic axis; use BarLayout.Grouped or a linear axis.");
        var frame = new Frame(chart);
        frame.Legend(LegendOf(chart));
        return chart.Horizontal ? HorizontalBars.Draw(chart, frame) : VerticalBars.Draw(chart, frame);
    }

    public static string Dash(int reference) => ReferenceDashes[reference % ReferenceDashes.Length];

    /// <summary>What is shown when a bar is pointed at.</summary>
    public static string Tooltip(BarChart chart, Bar bar)
    {
        var unit = chart.Value.Unit.Length == 0 ? "" : " " + chart.Value.Unit;
        var spread = bar.Low is { } low && bar.High is { } high ? $" ({NumberText.Short(low)} to {NumberText.Short(high)})" : "";
        return $"{chart.Categories[bar.Category]}, {chart.Series[bar.Series].Name}: {NumberText.Short(bar.Value)}{unit}{spread}";
    }

    /// <summary>The number at the end of each bar, or of each stack its total: (category, where along the axis, text).</summary>
    public static IEnumerable<(Bar Bar, double At, string Text)> EndLabels(BarChart chart, IReadOnlyList<Bar> bars)
    {
        if (chart.Layout == BarLayout.Grouped)
            return bars.Select(bar => (bar, bar.Value < 0 ? Math.Min(bar.To, bar.Low ?? bar.To) : Math.Max(bar.To, bar.High ?? bar.To), NumberText.Short(bar.Value)));
        return bars.GroupBy(bar => bar.Category).Select(stack => (stack.First(), stack.Max(bar => Math.Max(bar.From, bar.To)), NumberText.Short(stack.Sum(bar => bar.Value))));
    }

    private static List<LegendItem> LegendOf(BarChart chart)
    {
        var paint = new BarPaint(chart);
        var items = new List<LegendItem>();
        if (chart.Series.Count > 1) items.AddRange(chart.Series.Select((bars, i) => new LegendItem(bars.Name, paint.OfLegend(i), Swatch.Box)));
        items.AddRange(chart.References.Select((line, i) => new LegendItem(line.Name, Paint.Muted, Swatch.Line, Dash(i))));
        return items;
    }
}
