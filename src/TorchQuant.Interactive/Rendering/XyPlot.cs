namespace TorchQuant.Interactive.Rendering;

/// <summary>Lays out an <see cref="XyChart"/>.</summary>
internal static class XyPlot
{
    private static readonly string[] Dashes = ["", "7 4", "2 3", "10 3 2 3"];

    // Up to this many points each one is also a dot.
    private const int MostDots = 40;

    public static Scene Draw(XyChart chart)
    {
        var colors = Palette.Assign([.. chart.Series.Select(series => (series.Name, series.Color)), .. chart.Bands.Select(band => (band.Name, band.Color))]);
        var frame = new Frame(chart);
        var comb = chart.Grid is null ? 0 : Comb.Height;
        var x = Map(chart, onX: true, mostTicks: Math.Max(2, chart.Width / 95));
        var y = Map(chart, onX: false, mostTicks: Math.Max(2, chart.PlotHeight / 48));
        var left = Frame.Margin + PlotArea.LabelWidth(y) + 10;
        var right = chart.Width - Math.Max(Frame.Margin, TextMetrics.Width(x.Ticks.Labels[^1], Frame.LabelSize) / 2 + 4);

        // The legend says how the comb is drawn and names the lines that have no room for it, and that depends on the width alone.
        var grid = chart.Grid is { } levels ? new Comb(levels, x, left, right) : null;
        var bands = new BandRows([.. chart.Bands.Zip(colors[chart.Series.Count..])], x, left, right);
        var flags = new LineFlags(chart.References, x, left, right);
        frame.Legend(LegendOf(chart, colors, grid, flags));
        frame.Marks.AddRange(bands.Rows(frame.Y));
        frame.Y += bands.Height + flags.Height;
        var bottom = frame.Y;
        frame.AxisName(chart.Y.Caption);
        var area = new PlotArea(left, frame.Y + 6, right, frame.Y + 6 + chart.PlotHeight);
        frame.Marks.AddRange(flags.Draw(bottom, frame.AxisNameBox, area.Top));
        DrawArea(chart, frame, colors, area, x, y, comb, grid, bands);
        var labels = new PointLabels(chart, area, x, y);
        frame.Marks.AddRange(labels.Place());
        frame.Y = area.Bottom + comb + 20;
        frame.AxisNameBelow(chart.X.Caption, area.Left, area.Right);
        var unlabelled = labels.Left.Count == 0 ? "" : $"No room for the labels {string.Join(", ", labels.Left)}.";
        return frame.Finish(Summary.Describe(chart), string.Join(' ', new[] { Summary.NotDrawn(chart, x, y), unlabelled }.Where(note => note.Length > 0)));
    }

    private static void DrawArea(XyChart chart, Frame frame, string[] colors, PlotArea area, AxisMap x, AxisMap y, double comb, Comb? grid, BandRows bands)
    {
        frame.Marks.AddRange(area.HorizontalGrid(y));
        frame.Marks.AddRange(area.VerticalGrid(x, comb));
        frame.Marks.AddRange(bands.Shades(area));
        if (grid is not null) frame.Marks.AddRange(grid.Draw(area));
        for (var i = 0; i < chart.Bands.Count; i++)
            if (!chart.Bands[i].OnX) frame.Marks.AddRange(Lying(chart.Bands[i], colors[chart.Series.Count + i], i, area, y));
        var lines = 0;
        for (var i = 0; i < chart.Series.Count; i++)
        {
            frame.Marks.AddRange(chart.Series[i] switch
            {
                HistogramSeries histogram => Bins(histogram, colors[i], chart.Series.Count > 1, area, x, y),
                LineSeries line => Line(line, colors[i], Dashes[lines++ % Dashes.Length], area, x, y),
                PointSeries points => Dots(points, colors[i], area, x, y),
                RangeSeries ranges => RangeBars.Draw(ranges, colors[i], chart.Series.Count > 1, area, x, y),
                var other => throw new ArgumentException($"A chart cannot draw a {other.GetType().Name}."),
            });
        }
        frame.Marks.AddRange(bands.EndLines(area));
        for (var i = 0; i < chart.References.Count; i++)
        {
            var line = chart.References[i];
            if (!(line.OnX ? x : y).CanPlace(line.At)) continue;
            double at = line.OnX ? area.X(x, line.At) : area.Y(y, line.At);
            frame.Marks.Add(line.OnX
                ? PathMark.Line(at, area.Top, at, area.Bottom, Paint.Muted, 1.5, BarPlot.Dash(i))
                : PathMark.Line(area.Left, at, area.Right, at, Paint.Muted, 1.5, BarPlot.Dash(i)));
        }
    }

    private static IEnumerable<Mark> Lying(ReferenceBand band, string color, int index, PlotArea area, AxisMap y)
    {
        if (!y.Reaches(band.From, band.To)) yield break;
        double top = y.CanPlace(band.To) ? area.Y(y, band.To) : band.To > 0 ? area.Top : area.Bottom, bottom = y.CanPlace(band.From) ? area.Y(y, band.From) : area.Bottom;
        yield return new RectMark(area.Left, top, area.Right - area.Left, Math.Max(1, bottom - top), new Paint(color, 0.14), BandRows.Caption(band));
        foreach (var end in new[] { band.From, band.To })
            if (y.CanPlace(end) && y.Reaches(end, end)) yield return PathMark.Line(area.Left, area.Y(y, end), area.Right, area.Y(y, end), new Paint(color), 1.4, BarPlot.Dash(index));
    }

    private static AxisMap Map(XyChart chart, bool onX, int mostTicks)
    {
        var data = chart.Series.SelectMany(series => onX ? series.XValues : series.YValues).ToList();
        IEnumerable<double> values = [.. data, .. chart.References.Where(line => line.OnX == onX).Select(line => line.At), .. chart.Bands.Where(band => band.OnX == onX).SelectMany(band => BandRows.Ends(band, data))];
        if (onX) values = values.Concat(chart.Series.OfType<RangeSeries>().SelectMany(RangeBars.Reach)).Concat(PointLabels.Reach(chart));
        if (onX && chart.Grid is { } grid) values = values.Concat(Comb.Ends(grid, values));
        return AxisMap.Over(onX ? chart.X : chart.Y, values, includeZero: !onX && chart.Series.Any(series => series is HistogramSeries), mostTicks, tight: onX);
    }

    private static List<LegendItem> LegendOf(XyChart chart, string[] colors, Comb? grid, LineFlags flags)
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
        if (items.Count == 1 && chart.References.Count == 0 && chart.Bands.Count == 0 && grid is null) items.Clear();
        if (grid is not null) items.Add(grid.Legend);
        for (var i = 0; i < chart.Bands.Count; i++)
            if (!chart.Bands[i].OnX) items.Add(new LegendItem(BandRows.Caption(chart.Bands[i]), new Paint(colors[chart.Series.Count + i]), Swatch.Line, BarPlot.Dash(i)));
        for (var i = 0; i < chart.References.Count; i++)
            if (!flags.Names(chart.References[i])) items.Add(new LegendItem(chart.References[i].Name, Paint.Muted, Swatch.Line, BarPlot.Dash(i)));
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
