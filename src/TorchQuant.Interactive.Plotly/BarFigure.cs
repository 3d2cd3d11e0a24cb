using Plotly.NET;
using TorchQuant.Interactive.Rendering;
using static TorchQuant.Interactive.PlotlyFigure;

namespace TorchQuant.Interactive;

/// <summary>Bars for Plotly, in the colours that the static chart has.</summary>
internal static class BarFigure
{
    public static (IReadOnlyList<Trace> Traces, Layout Layout) Of(BarChart chart)
    {
        var paint = new BarPaint(chart);
        var bars = Bar.Of(chart);
        var places = Enumerable.Range(0, chart.Categories.Count).ToArray();
        var (along, across) = chart.Horizontal ? ("x", "y") : ("y", "x");
        var traces = new List<Trace>();
        for (var i = 0; i < chart.Series.Count; i++)
        {
            var series = chart.Series[i];
            var own = bars.Where(bar => bar.Series == i).OrderBy(bar => bar.Category).ToList();
            var trace = Trace("bar", (along, Numbers(series.Values)), (across, places), ("name", Text(series.Name)), ("orientation", chart.Horizontal ? "h" : "v"),
                ("marker", Map(("color", own.Select(bar => Rgba(paint.Of(bar))).ToArray()))),
                ("hovertext", own.Select(bar => Text(BarPlot.Tooltip(chart, bar))).ToArray()), ("hoverinfo", "text"));
            // A number would stand on the line of the spread.
            if (chart.Layout == BarLayout.Grouped && series.Low is null)
                trace.With("text", series.Values.Select(value => NumberText.Short(value)).ToArray()).With("textposition", "outside").With("cliponaxis", false);
            if (series.Low is { } low && series.High is { } high)
            {
                trace.With($"error_{along}", Map(("type", "data"), ("symmetric", false), ("array", Numbers(high.Zip(series.Values, (end, value) => end - value))),
                    ("arrayminus", Numbers(series.Values.Zip(low, (value, end) => value - end))), ("thickness", 1.4), ("color", Palette.Neutral)));
            }
            traces.Add(trace);
        }
        var shapes = new List<object>();
        foreach (var line in chart.References.Where(line => double.IsFinite(line.At)))
        {
            shapes.Add(Map(("type", "line"), ($"{along}ref", along), ($"{across}ref", "paper"), ($"{along}0", line.At), ($"{along}1", line.At), ($"{across}0", 0), ($"{across}1", 1),
                ("line", Map(("color", Palette.Neutral), ("width", 1.5), ("dash", "dash")))));
            traces.Add(XyFigure.LegendLine(line.Name, Palette.Neutral, "dash"));
        }
        var (value, names) = (AxisOf(chart.Value), NamesOf(chart.CategoryLabel, chart.Categories, downwards: chart.Horizontal));
        var height = chart.Horizontal ? Math.Max(120, chart.Categories.Count * (chart.Layout == BarLayout.Stacked ? 30 : 16 + 20 * chart.Series.Count)) : chart.PlotHeight;
        var layout = chart.Horizontal ? LayoutOf(value, names, height, traces.Count - 1) : LayoutOf(names, value, height, traces.Count - 1);
        layout.With("barmode", chart.Layout == BarLayout.Stacked ? "relative" : "group").With("shapes", shapes).With("bargap", chart.Layout == BarLayout.Grouped && chart.Series.Count > 1 ? 0.2 : 0.45);
        return (traces, layout);
    }
}
