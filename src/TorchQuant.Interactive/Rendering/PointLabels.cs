namespace TorchQuant.Interactive.Rendering;

/// <summary>Writes the labels of points beside them: each at the nearest of a number of places where it covers no point, no line, no other label; far ones with a thin line to their point.</summary>
internal sealed class PointLabels
{
    private const double DotRadius = 4, LongestShare = 0.55;

    // Beside, above and below the point: no line is needed to see what is meant. To the right first, where one starts to read.
    private static readonly (double X, double Y, Anchor Anchor)[] Near = [(7, 0, Anchor.Start), (-7, 0, Anchor.End), (0, -9, Anchor.Middle), (0, 9, Anchor.Middle)];

    // Then a fan to both sides, each place with a thin line to the point.
    private static readonly double[] FanX = [24, 44, 70, 100], FanY = [0, 16, 32, 48, 64, 80, 96];

    private readonly PlotArea _area;
    private readonly Placement _places;
    private readonly List<(string Label, double X, double Y)> _points = [];
    private readonly List<Lead> _leads = [];

    public PointLabels(XyChart chart, PlotArea area, AxisMap x, AxisMap y)
    {
        _area = area;
        _places = new Placement(new Box(area.Left + 1, area.Top, area.Right + Frame.Margin - 4, area.Bottom));
        foreach (var series in chart.Series.OfType<PointSeries>())
            for (var i = 0; i < series.X.Count; i++)
                if (x.CanPlace(series.X[i]) && y.CanPlace(series.Y[i]))
                    Add(series.Labels.Count == 0 ? "" : series.Labels[i], area.X(x, series.X[i]), area.Y(y, series.Y[i]));
        foreach (var line in chart.References.Where(line => (line.OnX ? x : y).CanPlace(line.At)))
            _places.Take(line.OnX
                ? new Box(area.X(x, line.At) - 1, area.Top, area.X(x, line.At) + 1, area.Bottom)
                : new Box(area.Left, area.Y(y, line.At) - 1, area.Right, area.Y(y, line.At) + 1));
    }

    /// <summary>The labels that found no place.</summary>
    public List<string> Left { get; } = [];

    /// <summary>What the horizontal axis must reach to, so that no labelled point lies on its end.</summary>
    public static IEnumerable<double> Reach(XyChart chart)
    {
        var xs = chart.Series.OfType<PointSeries>().Where(series => series.Labels.Count > 0).SelectMany(series => series.X).Where(value => Math.Abs(value) <= Ticks.Largest / 4).ToList();
        if (xs.Count == 0 || chart.X.Scale == AxisScale.Logarithmic) return [];
        var air = 0.05 * (xs.Max() - xs.Min());
        return [xs.Min() - air, xs.Max() + air];
    }

    public IEnumerable<Mark> Place()
    {
        // Those with the most neighbours choose first, they have the least choice; of those from top to bottom, so that lines do not cross.
        foreach (var (label, x, y) in _points.Where(point => point.Label.Length > 0).OrderByDescending(Crowd).ThenBy(point => point.Y))
        {
            if (Beside(label, x, y) is not { } place) Left.Add(label);
            else
                foreach (var mark in place) yield return mark;
        }
    }

    private void Add(string label, double x, double y)
    {
        _points.Add((label, x, y));
        _places.Take(new Box(x - DotRadius, y - DotRadius, x + DotRadius, y + DotRadius));
    }

    private int Crowd((string Label, double X, double Y) point) => _points.Count(other => Math.Abs(other.X - point.X) < 120 && Math.Abs(other.Y - point.Y) < 30);

    private List<Mark>? Beside(string label, double x, double y)
    {
        var text = TextMetrics.Shorten(label, Frame.LabelSize, (_area.Right - _area.Left) * LongestShare);
        var neighbours = _points.Where(other => Math.Abs(other.X - x) < 14 && Math.Abs(other.Y - y) < 14).ToList();
        // Where dots nearly touch, only a line tells which one is meant.
        if (neighbours.Count == 1)
        {
            foreach (var (dx, dy, anchor) in Near)
            {
                var mark = Label(x + dx, y + dy + (dy == 0 ? 4 : dy > 0 ? 9 : 0), anchor);
                if (TryTake(mark, null)) return [mark];
            }
        }
        // Upwards from the upper dots of a crowd, downwards from the lower ones.
        var down = y >= neighbours.Average(other => other.Y) ? 1 : -1;
        var ys = FanY.Select(dy => dy * down).Concat(FanY.Select(dy => -dy * down)).ToList();
        foreach (var (dx, dy) in FanX.SelectMany(dx => ys.SelectMany(dy => new[] { (dx, dy), (-dx, dy) })))
        {
            var side = Math.Sign(dx);
            var mark = Label(x + dx, y + dy + 4, side > 0 ? Anchor.Start : Anchor.End);
            var lead = new Lead(x + side * (DotRadius + 2), y, x + dx - 2 * side, y + dy);
            if (TryTake(mark, lead)) return [PathMark.Line(lead.X1, lead.Y1, lead.X2, lead.Y2, Paint.Muted), mark];
        }
        return null;

        TextMark Label(double atX, double baseline, Anchor anchor) => new(atX, baseline, text, Frame.LabelSize, Paint.Text, anchor, Tooltip: text == label ? "" : label);
    }

    private bool TryTake(TextMark mark, Lead? lead)
    {
        if (_leads.Exists(other => other.Boxes.Any(box => box.Overlaps(mark.Bounds)))) return false;
        if (lead is not null && (!lead.Boxes.All(_places.IsFree) || _leads.Exists(lead.Crosses))) return false;
        if (!_places.TryTake(mark)) return false;
        if (lead is not null) _leads.Add(lead);
        return true;
    }

    /// <summary>A line from a point to its label.</summary>
    private sealed record Lead(double X1, double Y1, double X2, double Y2)
    {
        /// <summary>The line as boxes along it that touch each other.</summary>
        public IReadOnlyList<Box> Boxes { get; } = Along(X1, Y1, X2, Y2);

        /// <summary>Whether each line has its ends on both sides of the other, or they lie over each other; lines that only begin together do not cross.</summary>
        public bool Crosses(Lead other)
        {
            double a = Side(other.X1, other.Y1), b = Side(other.X2, other.Y2), c = other.Side(X1, Y1), d = other.Side(X2, Y2);
            return (a * b < 0 && c * d < 0) || (a == 0 && b == 0 && c == 0 && d == 0);
        }

        private static Box[] Along(double x1, double y1, double x2, double y2)
        {
            const double half = 0.8;
            var steps = Math.Max(1, (int)Math.Ceiling(Math.Max(Math.Abs(x2 - x1), Math.Abs(y2 - y1)) / half));
            return [.. Enumerable.Range(0, steps + 1).Select(i => (X: x1 + (x2 - x1) * i / steps, Y: y1 + (y2 - y1) * i / steps)).Select(p => new Box(p.X - half, p.Y - half, p.X + half, p.Y + half))];
        }

        private double Side(double x, double y) => (X2 - X1) * (y - Y1) - (Y2 - Y1) * (x - X1);
    }
}
