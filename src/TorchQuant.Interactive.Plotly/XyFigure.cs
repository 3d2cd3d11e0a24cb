using Plotly.NET;
using TorchQuant.Interactive.Rendering;
using static TorchQuant.Interactive.PlotlyFigure;

namespace TorchQuant.Interactive;

/// <summary>Lines, points, histograms and ranges for Plotly, with their references, bands and the comb of codes.</summary>
internal static class XyFigure
{
    private const int MostDots = 40, MostLevels = 1024;
    private static readonly string[] Dashes = ["solid", "dash", "dot", "dashdot"];

    public static (IReadOnlyList<Trace> Traces, Layout Layout) Of(XyChart chart)
    {
        var colors = Palette.Assign([.. chart.Series.Select(series => (series.Name, series.Color)), .. chart.Bands.Select(band => (band.Name, band.Color))]);
        var overlaid = chart.Series.Count > 1;
        var lines = 0;
        var traces = new List<Trace>();
        for (var i = 0; i < chart.Series.Count; i++)
        {
            traces.Add(chart.Series[i] switch
            {
                LineSeries line => Line(line, colors[i], Dashes[lines++ % Dashes.Length]),
                PointSeries points => Points(points, colors[i]),
                HistogramSeries histogram => Histogram(histogram, colors[i], overlaid),
                RangeSeries ranges => Ranges(ranges, colors[i], overlaid),
                var other => throw new ArgumentException($"The interactive renderer knows no {other.GetType().Name}; add its case."),
            });
        }
        var shapes = new List<object>();
        for (var i = 0; i < chart.Bands.Count; i++) AddBand(chart, i, colors[chart.Series.Count + i], traces, shapes);
        for (var i = 0; i < chart.References.Count; i++) AddReference(chart.References[i], i, traces, shapes);
        AddEnds(chart, traces);
        var layout = LayoutOf(AxisOf(chart.X), AxisOf(chart.Y), chart.PlotHeight, chart.Series.Count + chart.Bands.Count + chart.References.Count > 1 || chart.Grid is not null ? 1 : 0);
        layout.With("shapes", shapes).With("barmode", "overlay").With("bargap", 0);
        if (chart.Grid is { } grid) AddComb(grid, traces, layout);
        return (traces, layout);
    }

    private static Trace Line(LineSeries line, string color, string dash) => Trace("scatter",
        ("x", Numbers(line.X)), ("y", Numbers(line.Y)), ("name", Text(line.Name)), ("mode", line.X.Count <= MostDots ? "lines+markers" : "lines"),
        ("line", Map(("color", color), ("width", line.X.Count > 400 ? 1.1 : 2.2), ("dash", dash))), ("marker", Map(("color", color))));

    private static Trace Points(PointSeries points, string color) => Trace("scatter",
        ("x", Numbers(points.X)), ("y", Numbers(points.Y)), ("name", Text(points.Name)), ("mode", points.Labels.Count > 0 ? "markers+text" : "markers"),
        ("text", points.Labels.Select(Text).ToArray()), ("textposition", "top center"), ("cliponaxis", false),
        ("marker", Map(("color", color), ("size", points.X.Count > 1000 ? 4 : 7), ("opacity", points.X.Count > 200 ? 0.55 : 0.85))));

    private static Trace Histogram(HistogramSeries histogram, string color, bool overlaid)
    {
        var bins = Enumerable.Range(0, histogram.Counts.Count).ToList();
        return Trace("bar",
            ("x", Numbers(bins.Select(i => (histogram.Edges[i] + histogram.Edges[i + 1]) / 2))), ("width", Numbers(bins.Select(i => histogram.Edges[i + 1] - histogram.Edges[i]))), ("y", Numbers(histogram.Counts)),
            ("name", Text(histogram.Name)), ("marker", Map(("color", Rgba(color, overlaid ? 0.5 : 0.85)), ("line", Map(("width", 0))))),
            ("hovertext", bins.Select(i => $"{NumberText.Short(histogram.Edges[i])} to {NumberText.Short(histogram.Edges[i + 1])}: {NumberText.Short(histogram.Counts[i])}").ToArray()), ("hoverinfo", "text+name"));
    }

    private static Trace Ranges(RangeSeries ranges, string color, bool overlaid) => Trace("bar",
        ("x", Numbers(ranges.X)), ("base", Numbers(ranges.Low)), ("y", Numbers(ranges.High.Zip(ranges.Low, (high, low) => high - low))), ("name", Text(ranges.Name)),
        ("marker", Map(("color", Rgba(color, overlaid ? 0.55 : 0.85)))),
        ("hovertext", Enumerable.Range(0, ranges.X.Count).Select(i => $"{NumberText.Short(ranges.X[i])}: {NumberText.Short(ranges.Low[i])} to {NumberText.Short(ranges.High[i])}").ToArray()), ("hoverinfo", "text+name"));

    private static void AddBand(XyChart chart, int index, string color, List<Trace> traces, List<object> shapes)
    {
        var band = chart.Bands[index];
        var (along, across) = band.OnX ? ("x", "y") : ("y", "x");
        Dictionary<string, object?> Shape(string type, double from, double to) =>
            Map(("type", type), ($"{along}ref", along), ($"{across}ref", "paper"), ($"{along}0", from), ($"{along}1", to), ($"{across}0", 0), ($"{across}1", 1));
        var area = Shape("rect", band.From, band.To);
        (area["fillcolor"], area["line"], area["layer"]) = (Rgba(color, 0.12 / Math.Sqrt(chart.Bands.Count)), Map(("width", 0)), "below");
        shapes.Add(area);
        var dash = Dashes[(index + 1) % Dashes.Length];
        foreach (var end in new[] { band.From, band.To })
        {
            var line = Shape("line", end, end);
            line["line"] = Map(("color", color), ("width", 1.6), ("dash", dash));
            shapes.Add(line);
        }
        traces.Add(LegendLine(BandRows.Caption(band), color, dash));
    }

    private static void AddReference(ReferenceLine reference, int index, List<Trace> traces, List<object> shapes)
    {
        var (along, across) = reference.OnX ? ("x", "y") : ("y", "x");
        var dash = Dashes[(index + 1) % Dashes.Length];
        if (!double.IsFinite(reference.At)) return;
        shapes.Add(Map(("type", "line"), ($"{along}ref", along), ($"{across}ref", "paper"), ($"{along}0", reference.At), ($"{along}1", reference.At), ($"{across}0", 0), ($"{across}1", 1),
            ("line", Map(("color", Palette.Neutral), ("width", 1.5), ("dash", dash)))));
        traces.Add(LegendLine(reference.Name, Palette.Neutral, dash));
    }

    // Shapes have no legend of their own.
    public static Trace LegendLine(string name, string color, string dash) => Trace("scatter",
        ("x", new double?[] { null }), ("y", new double?[] { null }), ("mode", "lines"), ("name", Text(name)), ("hoverinfo", "skip"), ("line", Map(("color", color), ("width", 1.8), ("dash", dash))));

    // Invisible points where the axes must reach, as far as shapes and axes ask; shapes do not count for Plotly's range.
    private static void AddEnds(XyChart chart, List<Trace> traces)
    {
        var data = (X: chart.Series.SelectMany(series => series.XValues).ToList(), Y: chart.Series.SelectMany(series => series.YValues).ToList());
        double?[] xs = [.. Ends(chart.X, chart, true, data.X)], ys = [.. Ends(chart.Y, chart, false, data.Y)];
        double? x = data.X.Where(double.IsFinite).Select(value => (double?)value).FirstOrDefault(), y = data.Y.Where(double.IsFinite).Select(value => (double?)value).FirstOrDefault();
        if (x is null || y is null || xs.Length + ys.Length == 0) return;
        traces.Add(Trace("scatter", ("x", xs.Concat(ys.Select(_ => x)).ToArray()), ("y", xs.Select(_ => y).Concat(ys).ToArray()), ("mode", "markers"), ("opacity", 0), ("hoverinfo", "skip"), ("showlegend", false)));
    }

    private static IEnumerable<double?> Ends(Axis axis, XyChart chart, bool onX, List<double> data) => new[] { axis.From, axis.To }
        .Concat(chart.References.Where(line => line.OnX == onX).Select(line => (double?)line.At))
        .Concat(chart.Bands.Where(band => band.OnX == onX).SelectMany(band => BandRows.Ends(band, data)).Select(end => (double?)end))
        .Where(end => end is { } value && double.IsFinite(value) && (value > 0 || axis.Scale == AxisScale.Linear));

    // On an axis of its own, so that it stands on the floor whatever the scale of the counts.
    private static void AddComb(QuantizationGrid grid, List<Trace> traces, Layout layout)
    {
        var levels = grid.Levels <= MostLevels ? Enumerable.Range(0, (int)grid.Levels).Select(i => grid.ValueOf(grid.QuantMin + (long)i)) : [grid.Minimum, grid.Maximum];
        var x = Numbers(levels);
        traces.Add(Trace("scatter", ("x", x), ("y", x.Select(_ => 0.03).ToArray()), ("yaxis", "y2"), ("mode", "markers"), ("name", $"{NumberText.Fixed(grid.Levels, 0)} levels, {NumberText.Short(grid.Scale)} apart"),
            ("marker", Map(("symbol", "line-ns-open"), ("color", Palette.Int8), ("size", 9))), ("hovertemplate", "%{x}<extra></extra>")));
        layout.With("yaxis2", Map(("overlaying", "y"), ("range", new[] { 0.0, 1 }), ("visible", false), ("fixedrange", true)));
    }
}
