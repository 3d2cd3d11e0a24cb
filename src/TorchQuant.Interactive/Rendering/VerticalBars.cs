namespace TorchQuant.Interactive.Rendering;

/// <summary>Standing bars, categories from left to right.</summary>
internal static class VerticalBars
{
    private const double Headroom = 18, LongestSlanted = 150;

    public static Scene Draw(BarChart chart, Frame frame)
    {
        var bars = Bar.Of(chart);
        var map = AxisMap.Over(chart.Value, Bar.Reach(chart, bars), includeZero: true, Math.Max(2, chart.PlotHeight / 48));
        frame.AxisName(chart.Value.Caption);
        var left = Frame.Margin + PlotArea.LabelWidth(map) + 10;
        var area = new PlotArea(left, frame.Y + Headroom, chart.Width - Frame.Margin, frame.Y + Headroom + chart.PlotHeight);
        frame.Marks.AddRange(area.HorizontalGrid(map));
        var band = (area.Right - area.Left) / Math.Max(1, chart.Categories.Count);
        var labels = new Placement(new Box(area.Left, frame.Y, area.Right + Frame.Margin, area.Bottom + 14));
        DrawBars(chart, frame, bars, map, area, band, labels);
        for (var i = 0; i < chart.References.Count; i++)
        {
            if (!map.CanPlace(chart.References[i].At)) continue;
            var y = area.Y(map, chart.References[i].At);
            frame.Marks.Add(PathMark.Line(area.Left, y, area.Right, y, Paint.Muted, 1.5, BarPlot.Dash(i)));
        }
        frame.Marks.Add(PathMark.Line(area.Left, area.Y(map, map.Base), area.Right, area.Y(map, map.Base), Paint.AxisLine));
        // Numbers under negative bars need their own line above the names.
        var lowest = bars.Any(bar => bar.Value < 0) ? area.Bottom + 14 : area.Bottom;
        frame.Y = lowest + DrawNames(chart, frame, area, lowest, band);
        frame.AxisNameBelow(chart.CategoryLabel, area.Left, area.Right);
        return frame.Finish(Summary.Describe(chart), "");
    }

    private static void DrawBars(BarChart chart, Frame frame, IReadOnlyList<Bar> bars, AxisMap map, PlotArea area, double band, Placement labels)
    {
        var paint = new BarPaint(chart);
        var inside = new List<TextMark>();
        foreach (var bar in bars)
        {
            var (x, width) = Across(area, band, bar);
            if (!double.IsFinite(bar.Value) || !map.CanPlace(bar.To) || bar.To == bar.From) continue;
            double from = area.Y(map, map.CanPlace(bar.From) ? Math.Max(bar.From, map.Ticks.Low) : map.Base), to = area.Y(map, bar.To);
            var rect = new RectMark(x, Math.Min(from, to), width, Math.Abs(from - to), paint.Of(bar), BarPlot.Tooltip(chart, bar));
            frame.Marks.Add(rect);
            labels.Take(rect.Bounds);
            var label = new TextMark(x + width / 2, (from + to) / 2 + 4, NumberText.Short(bar.Value), BarPlot.ValueSize, BarPaint.InkOn(paint.Of(bar)), Anchor.Middle);
            if (chart.Layout == BarLayout.Stacked && rect.Height >= 16 && TextMetrics.Width(label.Text, label.Size) <= width - 4) inside.Add(label);
            if (bar.Low is not { } low || bar.High is not { } high || !map.CanPlace(low) || !map.CanPlace(high)) continue;
            double middle = x + width / 2, cap = Math.Min(7, width / 3), top = area.Y(map, high), bottom = area.Y(map, low);
            frame.Marks.Add(new PathMark([(middle, bottom), (middle, top), (double.NaN, double.NaN), (middle - cap, top), (middle + cap, top), (double.NaN, double.NaN), (middle - cap, bottom), (middle + cap, bottom)],
                Paint.Text, 1.4));
            labels.Take(new Box(middle - cap, top, middle + cap, bottom));
        }
        foreach (var (bar, at, text) in BarPlot.EndLabels(chart, bars))
        {
            var (x, width) = Across(area, band, bar);
            var end = area.Y(map, map.CanPlace(at) ? at : map.Base);
            var label = new TextMark(x + width / 2, bar.Value < 0 && chart.Layout == BarLayout.Grouped ? end + 12.5 : end - 5, text, BarPlot.ValueSize, Paint.Text, Anchor.Middle);
            if (labels.TryTake(label)) frame.Marks.Add(label);
        }
        frame.Marks.AddRange(inside);
    }

    // At most 64 pixels wide, in the middle of its place; one pixel of air between neighbours.
    private static (double X, double Width) Across(PlotArea area, double band, Bar bar)
    {
        double start = area.Left + band * (bar.Category + bar.Start), full = band * (bar.End - bar.Start);
        var width = Math.Max(0.5, Math.Min(full > 4 ? full - 1 : full, 64));
        // Bars of a group move together towards the middle of their category.
        var middle = area.Left + band * (bar.Category + 0.5);
        var scale = Math.Min(1, 65 / full);
        return (middle + (start + full / 2 - middle) * scale - width / 2, width);
    }

    // Returns the height that the names take.
    private static double DrawNames(BarChart chart, Frame frame, PlotArea area, double top, double band)
    {
        const double line = 14.5;
        var wrapped = chart.Categories.Select(name => TextMetrics.Wrap(name, Frame.LabelSize, band - 6, 3)).ToList();
        if (!wrapped.SelectMany(lines => lines).Any(text => text.EndsWith('…')))
        {
            for (var i = 0; i < wrapped.Count; i++)
                for (var k = 0; k < wrapped[i].Count; k++)
                    frame.Marks.Add(new TextMark(area.Left + band * (i + 0.5), top + 16 + k * line, wrapped[i][k], Frame.LabelSize, Paint.Text, Anchor.Middle));
            return wrapped.Count == 0 ? 6 : 20 + (wrapped.Max(lines => lines.Count) - 1) * line;
        }
        // Slanted lines are a line height apart when their ends are 20 pixels apart.
        var every = Math.Max(1, (int)Math.Ceiling(22 / band));
        var names = CategoryNames.Shortened(chart.Categories, Frame.LabelSize, i => Math.Min(LongestSlanted, (End(i) - 10) / TextMark.Cosine));
        double height = 0;
        for (var i = 0; i < chart.Categories.Count; i += every)
        {
            var text = names[i];
            frame.Marks.Add(new TextMark(End(i), top + 15, text, Frame.LabelSize, Paint.Text, Slanted: true, Tooltip: text == chart.Categories[i] ? "" : chart.Categories[i]));
            height = Math.Max(height, TextMetrics.Width(text, Frame.LabelSize) * TextMark.Sine);
        }
        return 24 + height;

        double End(int category) => area.Left + band * (category + 0.5) + 4;
    }
}
