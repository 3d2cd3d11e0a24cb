namespace TorchQuant.Interactive.Rendering;

/// <summary>The bars of a <see cref="RangeSeries"/>: as wide as the nearest two allow; where there are more than pixels, neighbours in one pixel are drawn together.</summary>
internal static class RangeBars
{
    // Up to this many bars each one tells its ends when it is pointed at.
    private const int MostTooltips = 256;

    public static IEnumerable<Mark> Draw(RangeSeries ranges, string color, bool overlaid, PlotArea area, AxisMap x, AxisMap y)
    {
        var placed = Enumerable.Range(0, ranges.X.Count).Where(i => x.CanPlace(ranges.X[i]) && y.CanPlace(ranges.Low[i]) && y.CanPlace(ranges.High[i])).OrderBy(i => ranges.X[i]).ToList();
        if (placed.Count == 0) yield break;
        var at = placed.Select(i => area.X(x, ranges.X[i])).ToList();
        var gap = Enumerable.Range(1, at.Count - 1).Select(i => at[i] - at[i - 1]).Where(step => step > 0).DefaultIfEmpty(area.Right - area.Left).Min();
        var width = Math.Clamp(gap > 3 ? gap - 1 : gap, 0.8, 22);
        var paint = new Paint(color, overlaid ? 0.55 : 0.85);
        if (gap < 0.8)
        {
            foreach (var pixel in placed.Zip(at).GroupBy(bar => Math.Floor(bar.Second)))
                yield return Bar(pixel.Key + 0.5, 1, pixel.Min(bar => ranges.Low[bar.First]), pixel.Max(bar => ranges.High[bar.First]), "");
            yield break;
        }
        foreach (var (i, middle) in placed.Zip(at))
        {
            var tooltip = placed.Count > MostTooltips ? "" : $"{ranges.Name}, {NumberText.Short(ranges.X[i])}: {NumberText.Short(ranges.Low[i])} to {NumberText.Short(ranges.High[i])}";
            yield return Bar(middle, width, ranges.Low[i], ranges.High[i], tooltip);
        }

        RectMark Bar(double middle, double wide, double low, double high, string tooltip)
        {
            double left = Math.Max(area.Left, middle - wide / 2), right = Math.Min(area.Right, middle + wide / 2), top = area.Y(y, high), bottom = area.Y(y, low);
            // A channel whose weights are all alike is a line.
            return new RectMark(left, Math.Min(top, bottom - 1), right - left, Math.Max(1, bottom - top), paint, tooltip);
        }
    }

    /// <summary>How far the axis must reach beyond the first and the last bar for them to be drawn whole.</summary>
    public static IEnumerable<double> Reach(RangeSeries ranges)
    {
        var finite = ranges.X.Where(value => Math.Abs(value) <= Ticks.Largest / 4).Distinct().Order().ToList();
        if (finite.Count < 2) return ranges.X;
        return [finite[0] - (finite[1] - finite[0]) / 2, finite[^1] + (finite[^1] - finite[^2]) / 2];
    }
}
