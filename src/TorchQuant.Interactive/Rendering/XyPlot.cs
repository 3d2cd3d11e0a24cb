namespace TorchQuant.Interactive.Rendering;

/// <summary>Lays out an <see cref="XyChart"/>.</summary>
internal static class XyPlot
{
    private static readonly string[] Dashes = ["", "7 4", "2 3", "10 3 2 3"];
    private static readonly string[] ReferenceDashes = ["5 4", "2 3", "10 4"];

    // Up to this many points each one is also a dot.
    private const int MostDots = 40;

    public static Scene Draw(XyChart chart)
    {
        var colors = Palette.Assign([.. chart.Series.Select(series => (series.Name, series.Color))]);
        var frame = new Frame(chart);
        var comb = chart.Grid is null ? 0 : Comb.Height;
        var x = Map(chart, onX: true, mostTicks: Math.Max(2, chart.Width / 95));
        var y = Map(chart, onX: false, mostTicks: Math.Max(2, chart.PlotHeight / 48));
        var left = Frame.Margin + PlotArea.LabelWidth(y) + 10;
        var right = chart.Width - Math.Max(Frame.Margin, TextMetrics.Width(x.Ticks.Labels[^1], Frame.LabelSize) / 2 + 4);

        // The legend says how the comb is drawn, and that depends on the width alone.
        var grid = chart.Grid is { } levels ? new Comb(levels, x, left, right) : null;
        frame.Legend(LegendOf(chart, colors, grid));
        frame.AxisName(chart.Y.Caption);
        var area = new PlotArea(left, frame.Y + 6, right, frame.Y + 6 + chart.PlotHeight);
        frame.Marks.AddRange(area.HorizontalGrid(y));
        frame.Marks.AddRange(area.VerticalGrid(x, comb));
        if (grid is not null) frame.Marks.AddRange(grid.Draw(area));
        var lines = 0;
        for (var i = 0; i < chart.Series.Count; i++)
        {
            frame.Marks.AddRange(chart.Series[i] switch
            {
                HistogramSeries histogram => Bins(histogram, colors[i], chart.Series.Count > 1, area, x, y),
                LineSeries line => Line(line, colors[i], Dashes[lines++ % Dashes.Length], area, x, y),
                PointSeries points => Dots(points, colors[i], area, x, y),
                var other => throw new ArgumentException($"A chart cannot draw a {other.GetType().Name}."),
            });
        }
        for (var i = 0; i < chart.References.Count; i++)
        {
            var line = chart.References[i];
            if (!(line.OnX ? x : y).CanPlace(line.At)) continue;
            double at = line.OnX ? area.X(x, line.At) : area.Y(y, line.At);
            frame.Marks.Add(line.OnX
                ? PathMark.Line(at, area.Top, at, area.Bottom, Paint.Muted, 1.5, ReferenceDashes[i % ReferenceDashes.Length])
                : PathMark.Line(area.Left, at, area.Right, at, Paint.Muted, 1.5, ReferenceDashes[i % ReferenceDashes.Length]));
        }
        frame.Y = area.Bottom + comb + 20;
        frame.AxisNameBelow(chart.X.Caption, area.Left, area.Right);
        return frame.Finish(Summary.Describe(chart), Summary.NotDrawn(chart, x, y));
    }

    private static AxisMap Map(XyChart chart, bool onX, int mostTicks)
    {
        var values = chart.Series.SelectMany(series => onX ? series.XValues : series.YValues).Concat(chart.References.Where(line => line.OnX == onX).Select(line => line.At));
        if (onX && chart.Grid is { } grid) values = values.Concat(Comb.Ends(grid, values));
        return AxisMap.Over(onX ? chart.X : chart.Y, values, includeZero: !onX && chart.Series.Any(series => series is HistogramSeries), mostTicks, tight: onX);
    }

    private static List<LegendItem> LegendOf(XyChart chart, string[] colors, Comb? grid)
    {
        var items = new List<LegendItem>();
        var lines = 0;
        foreach (var (series, color) in chart.Series.Zip(colors))
        {
            items.Add(series switch
            {
                LineSeries => new LegendItem(series.Name, new Paint(color), Swatch.Line, Dashes[lines++ % Dashes.Length]),
                PointSeries => new LegendItem(series.Name, new Paint(color), Swatch.Dot),
                _ => new LegendItem(series.Name, new Paint(color), Swatch.Box),
            });
        }
        // A single series is named by the title.
        if (items.Count == 1 && chart.References.Count == 0 && grid is null) items.Clear();
        if (grid is not null) items.Add(grid.Legend);
        for (var i = 0; i < chart.References.Count; i++)
            items.Add(new LegendItem(chart.References[i].Name, Paint.Muted, Swatch.Line, ReferenceDashes[i % ReferenceDashes.Length]));
        return items;
    }

    private static IEnumerable<Mark> Line(LineSeries line, string color, string dash, PlotArea area, AxisMap x, AxisMap y)
    {
        var points = Points(line.X, line.Y, area, x, y);
        // A noisy line of thousands of points would be a band that hides the others.
        var dense = points.Count > 400;
        yield return new PathMark(Thinning.Thin(points, area), new Paint(color, dense ? 0.8 : 1), dense ? 1.1 : 2.2, dash);
        var dots = points.Count <= MostDots ? points.Where(p => !double.IsNaN(p.Y)).ToList() : Thinning.Alone(points);
        if (dots.Count > 0) yield return new DotsMark(dots, new Paint(color), 5.5);
    }

    private static IEnumerable<Mark> Dots(PointSeries series, string color, PlotArea area, AxisMap x, AxisMap y)
    {
        // Dots in the same half pixel look like one.
        var dots = Points(series.X, series.Y, area, x, y).Where(p => !double.IsNaN(p.Y)).Select(p => (Math.Round(p.X * 2) / 2, Math.Round(p.Y * 2) / 2)).Distinct().ToList();
        if (dots.Count > 0) yield return new DotsMark(dots, new Paint(color, dots.Count > 200 ? 0.55 : 0.85), dots.Count > 1000 ? 3.5 : 5.5);
    }

    private static IEnumerable<Mark> Bins(HistogramSeries histogram, string color, bool overlaid, PlotArea area, AxisMap x, AxisMap y)
    {
        var outline = new List<(double X, double Y)>();
        var floor = area.Y(y, y.Base);
        for (var i = 0; i < histogram.Counts.Count; i++)
        {
            if (!x.CanPlace(histogram.Edges[i]) || !x.CanPlace(histogram.Edges[i + 1])) continue;
            double count = histogram.Counts[i], left = area.X(x, histogram.Edges[i]), right = area.X(x, histogram.Edges[i + 1]);
            // One pixel at least: a bin of a few values beside a peak of thousands must not look empty.
            var top = count > 0 && y.CanPlace(count) ? Math.Max(area.Top, Math.Min(area.Y(y, count), floor - 1)) : floor;
            outline.Add((left, top));
            outline.Add((right, top));
            if (top == floor) continue;
            yield return new RectMark(left, top, Math.Max(0.4, right - left - (right - left > 4 && !overlaid ? 0.6 : 0)), floor - top, new Paint(color, overlaid ? 0.4 : 0.85),
                $"{histogram.Name}, {NumberText.Short(histogram.Edges[i])} to {NumberText.Short(histogram.Edges[i + 1])}: {NumberText.Short(count)}");
        }
        if (overlaid && outline.Count > 0) yield return new PathMark(outline, new Paint(color), 1.6);
    }

    // Points that cannot be placed become NaN: a gap.
    private static List<(double X, double Y)> Points(Values xs, Values ys, PlotArea area, AxisMap x, AxisMap y)
    {
        var points = new List<(double X, double Y)>(xs.Count);
        for (var i = 0; i < xs.Count; i++)
            points.Add(x.CanPlace(xs[i]) && y.CanPlace(ys[i]) ? (area.X(x, xs[i]), area.Y(y, ys[i])) : (double.NaN, double.NaN));
        return points;
    }
}
