namespace TorchQuant.Interactive.Rendering;

/// <summary>Lying bars, categories from top to bottom.</summary>
internal static class HorizontalBars
{
    private const double Thickness = 19, Air = 13;

    // From this many categories on (the layers of a network) bars are as thin as their labels are high.
    private const int Many = 25;
    private const double ThinAir = 5;

    // Taller plots have the numbers of the axis above them too.
    private const double Tall = 700;

    public static Scene Draw(BarChart chart, Frame frame)
    {
        var bars = Bar.Of(chart);
        var across = chart.Layout == BarLayout.Stacked ? 1 : Math.Max(1, chart.Series.Count);
        var many = chart.Categories.Count >= Many;
        var band = across * (!many ? Thickness : across == 1 ? 12 : 13) + (many ? ThinAir : Air);
        var widest = chart.Width * 0.38;
        var oneLine = CategoryNames.Shortened(chart.Categories, Frame.LabelSize, _ => widest);
        var names = chart.Categories.Select((name, i) => TextMetrics.Wrap(name, Frame.LabelSize, widest, 2) is { Count: 2 } two && band >= 32 && !two[1].EndsWith('…') ? two : [oneLine[i]]).ToList();
        var nameWidth = names.SelectMany(lines => lines).Select(line => TextMetrics.Width(line, Frame.LabelSize)).DefaultIfEmpty(0).Max();
        var endWidth = BarPlot.EndLabels(chart, bars).Select(label => TextMetrics.Width(label.Text, BarPlot.ValueSize)).DefaultIfEmpty(0).Max();
        frame.AxisName(chart.CategoryLabel);
        // Numbers of negative bars stand left of them.
        var before = chart.Layout == BarLayout.Grouped && bars.Any(bar => bar.Value < 0) ? endWidth + 6 : 0;
        double left = Frame.Margin + nameWidth + 10 + before, right = chart.Width - Frame.Margin - endWidth - 8;
        var map = AxisMap.Over(chart.Value, Bar.Reach(chart, bars), includeZero: true, Math.Max(2, (int)((right - left) / 90)), tight: true);
        var height = Math.Max(1, chart.Categories.Count) * band + 4;
        if (height > Tall) frame.Y += 20;
        var area = new PlotArea(left, frame.Y, right, frame.Y + height);
        frame.Marks.AddRange(area.VerticalGrid(map));
        if (height > Tall) frame.Marks.AddRange(area.LabelsAbove(map));
        DrawNames(frame, area, left - before - 8, band, chart, names);
        DrawBars(chart, frame, bars, map, area, band);
        for (var i = 0; i < chart.References.Count; i++)
        {
            if (!map.CanPlace(chart.References[i].At)) continue;
            var x = area.X(map, chart.References[i].At);
            frame.Marks.Add(PathMark.Line(x, area.Top, x, area.Bottom, Paint.Muted, 1.5, BarPlot.Dash(i)));
        }
        var zero = area.X(map, map.Base);
        frame.Marks.Add(PathMark.Line(zero, area.Top, zero, area.Bottom, Paint.AxisLine));
        frame.Y = area.Bottom + 20;
        frame.AxisNameBelow(chart.Value.Caption, area.Left, area.Right);
        return frame.Finish(Summary.Describe(chart), "");
    }

    private static void DrawNames(Frame frame, PlotArea area, double right, double band, BarChart chart, List<List<string>> names)
    {
        for (var i = 0; i < names.Count; i++)
        {
            var first = area.Top + band * (i + 0.5) + 4 - (names[i].Count - 1) * 7.25;
            var shortened = names[i].Exists(line => line.Contains('…', StringComparison.Ordinal));
            for (var k = 0; k < names[i].Count; k++)
                frame.Marks.Add(new TextMark(right, first + k * 14.5, names[i][k], Frame.LabelSize, Paint.Text, Anchor.End, Tooltip: shortened ? chart.Categories[i] : ""));
        }
    }

    private static void DrawBars(BarChart chart, Frame frame, IReadOnlyList<Bar> bars, AxisMap map, PlotArea area, double band)
    {
        var paint = new BarPaint(chart);
        var inside = new List<TextMark>();
        var labels = new Placement(new Box(Frame.Margin, area.Top, chart.Width, area.Bottom));
        foreach (var bar in bars)
        {
            var (y, height) = Across(area, band, bar);
            if (!double.IsFinite(bar.Value) || !map.CanPlace(bar.To) || bar.To == bar.From) continue;
            double from = area.X(map, map.CanPlace(bar.From) ? Math.Max(bar.From, map.Ticks.Low) : map.Base), to = area.X(map, bar.To);
            var rect = new RectMark(Math.Min(from, to), y, Math.Abs(to - from), height, paint.Of(bar), BarPlot.Tooltip(chart, bar));
            frame.Marks.Add(rect);
            labels.Take(rect.Bounds);
            var label = new TextMark((from + to) / 2, y + height / 2 + 4, NumberText.Short(bar.Value), BarPlot.ValueSize, BarPaint.InkOn(paint.Of(bar)), Anchor.Middle);
            if (chart.Layout == BarLayout.Stacked && TextMetrics.Width(label.Text, label.Size) <= rect.Width - 6) inside.Add(label);
            if (bar.Low is not { } low || bar.High is not { } high || !map.CanPlace(low) || !map.CanPlace(high)) continue;
            double middle = y + height / 2, cap = Math.Min(6, height / 3), start = area.X(map, low), end = area.X(map, high);
            frame.Marks.Add(new PathMark([(start, middle), (end, middle), (double.NaN, double.NaN), (start, middle - cap), (start, middle + cap), (double.NaN, double.NaN), (end, middle - cap), (end, middle + cap)],
                Paint.Text, 1.4));
            labels.Take(new Box(start, middle - cap, end, middle + cap));
        }
        foreach (var (bar, at, text) in BarPlot.EndLabels(chart, bars))
        {
            var (y, height) = Across(area, band, bar);
            var end = area.X(map, map.CanPlace(at) ? at : map.Base);
            var before = bar.Value < 0 && chart.Layout == BarLayout.Grouped;
            var label = new TextMark(before ? end - 6 : end + 6, y + height / 2 + 4, text, BarPlot.ValueSize, Paint.Text, before ? Anchor.End : Anchor.Start);
            if (labels.TryTake(label)) frame.Marks.Add(label);
        }
        frame.Marks.AddRange(inside);
    }

    private static (double Y, double Height) Across(PlotArea area, double band, Bar bar)
    {
        var start = area.Top + band * (bar.Category + bar.Start);
        return (start, Math.Max(0.5, band * (bar.End - bar.Start) - 1));
    }
}
