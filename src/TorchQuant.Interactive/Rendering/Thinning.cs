namespace TorchQuant.Interactive.Rendering;

/// <summary>Fewer points that look the same: a line of a million points has no more to show than a few per pixel.</summary>
internal static class Thinning
{
    /// <summary>Of each half pixel column the first, lowest, highest and last point, when there are more points than that. Lines that go back are kept whole.</summary>
    public static IReadOnlyList<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points, PlotArea area)
    {
        if (points.Count <= 8 * (area.Right - area.Left)) return points;
        for (var i = 1; i < points.Count; i++)
            if (points[i].X < points[i - 1].X) return points;
        var kept = new List<(double X, double Y)>();
        for (int start = 0, end; start < points.Count; start = end)
        {
            end = start + 1;
            if (double.IsNaN(points[start].Y))
            {
                kept.Add(points[start]);
                continue;
            }
            var column = Math.Floor(points[start].X * 2);
            int lowest = start, highest = start;
            for (; end < points.Count && !double.IsNaN(points[end].Y) && Math.Floor(points[end].X * 2) == column; end++)
            {
                if (points[end].Y < points[lowest].Y) lowest = end;
                if (points[end].Y > points[highest].Y) highest = end;
            }
            foreach (var index in new SortedSet<int> { start, lowest, highest, end - 1 }) kept.Add(points[index]);
        }
        return kept;
    }

    /// <summary>Points with a gap at both sides: no line shows them.</summary>
    public static List<(double X, double Y)> Alone(IReadOnlyList<(double X, double Y)> points)
    {
        return [.. Enumerable.Range(0, points.Count).Where(i => !Gap(i) && Gap(i - 1) && Gap(i + 1)).Select(i => points[i])];

        bool Gap(int i) => i < 0 || i >= points.Count || double.IsNaN(points[i].Y);
    }
}
