namespace TorchQuant.Interactive.Rendering;

/// <summary>The rectangle between the axes, the two directions' maps, and the grid and labels that go with them.</summary>
internal sealed class PlotArea(double left, double top, double right, double bottom)
{
    public double Left => left;

    public double Top => top;

    public double Right => right;

    public double Bottom => bottom;

    public double X(AxisMap map, double value) => left + (right - left) * map.At(value);

    public double Y(AxisMap map, double value) => bottom - (bottom - top) * map.At(value);

    /// <summary>How wide a column of labels for <paramref name="map"/> must be.</summary>
    public static double LabelWidth(AxisMap map) => map.Ticks.Labels.Max(label => TextMetrics.Width(label, Frame.LabelSize));

    /// <summary>Horizontal grid lines with labels at the left. Labels that would touch the one before are left out.</summary>
    public IEnumerable<Mark> HorizontalGrid(AxisMap map)
    {
        var free = double.PositiveInfinity;
        for (var i = 0; i < map.Ticks.Positions.Count; i++)
        {
            var y = Y(map, map.Ticks.Positions[i]);
            yield return PathMark.Line(left, y, right, y, LineAt(map, i));
            var label = new TextMark(left - 8, y + 4, map.Ticks.Labels[i], Frame.LabelSize, Paint.Muted, Anchor.End);
            if (label.Bounds.Bottom > free) continue;
            free = label.Bounds.Top - 1;
            yield return label;
        }
    }

    /// <summary>Vertical grid lines with labels below, <paramref name="gap"/> under the plot. Labels that would touch the one before are left out.</summary>
    public IEnumerable<Mark> VerticalGrid(AxisMap map, double gap = 0)
    {
        var free = double.NegativeInfinity;
        for (var i = 0; i < map.Ticks.Positions.Count; i++)
        {
            var x = X(map, map.Ticks.Positions[i]);
            yield return PathMark.Line(x, top, x, bottom, LineAt(map, i));
            var label = new TextMark(x, bottom + gap + 17, map.Ticks.Labels[i], Frame.LabelSize, Paint.Muted, Anchor.Middle);
            if (label.Bounds.Left < free) continue;
            free = label.Bounds.Right + 6;
            yield return label;
        }
    }

    /// <summary>The labels of <see cref="VerticalGrid"/> above the plot.</summary>
    public IEnumerable<Mark> LabelsAbove(AxisMap map) => VerticalGrid(map).OfType<TextMark>().Select(label => label with { Y = top - 7 });

    private static Paint LineAt(AxisMap map, int tick) => map.Ticks.Positions[tick] == 0 ? Paint.AxisLine : Paint.GridLine;
}
