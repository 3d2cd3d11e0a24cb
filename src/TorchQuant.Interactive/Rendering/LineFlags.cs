namespace TorchQuant.Interactive.Rendering;

/// <summary>
/// The names of upright reference lines, in rows above the plot: a name stands right of its line, or left of it where the drawing ends, in the lowest row where it meets neither another name nor another line
/// on its way down. Names that have no room are left to the legend.
/// </summary>
internal sealed class LineFlags
{
    private const double Row = 17, Gap = 5, Air = 3;

    private readonly List<(double X, int Row, Box Box)> _taken = [];
    private readonly List<(ReferenceLine Line, double X, TextMark Name, int Row)> _flags = [];
    private readonly Dictionary<ReferenceLine, int> _dashes = new(ReferenceEqualityComparer.Instance);
    private readonly double _left, _right;

    public LineFlags(IReadOnlyList<ReferenceLine> references, AxisMap x, double left, double right)
    {
        (_left, _right) = (left, right);
        for (var i = 0; i < references.Count; i++) _dashes[references[i]] = i;
        var lines = references.Where(line => line.OnX && x.CanPlace(line.At)).Select(line => (Line: line, X: left + (right - left) * x.At(line.At))).OrderBy(line => line.X).ToList();
        var leftward = Leftward(lines);
        // Names to the right from the rightmost line on, then names to the left from the leftmost on: so no line has to pass a name below its own.
        foreach (var (line, at) in Enumerable.Reverse(lines[..(lines.Count - leftward)])) Place(line, at, Anchor.Start);
        foreach (var (line, at) in lines[(lines.Count - leftward)..]) Place(line, at, Anchor.End);
    }

    public double Height => _flags.Count == 0 ? 0 : (_flags.Max(flag => flag.Row) + 1) * Row + 6;

    public bool Names(ReferenceLine line) => _flags.Exists(flag => ReferenceEquals(flag.Line, line));

    /// <summary>The names and the lines down to the plot. Rows are counted up from <paramref name="bottom"/>; a line leaves out <paramref name="keepClear"/>.</summary>
    public IEnumerable<Mark> Draw(double bottom, Box keepClear, double plotTop)
    {
        foreach (var (line, x, name, row) in _flags)
        {
            yield return name.Moved(0, bottom - 4);
            var top = bottom - (row + 1) * Row + 2;
            var dash = BarPlot.Dash(_dashes[line]);
            if (new Box(x - 2, top, x + 2, plotTop).Overlaps(keepClear))
            {
                yield return PathMark.Line(x, top, x, keepClear.Top, Paint.Muted, 1.5, dash);
                yield return PathMark.Line(x, Math.Min(keepClear.Bottom, plotTop), x, plotTop, Paint.Muted, 1.5, dash);
            }
            else
            {
                yield return PathMark.Line(x, top, x, plotTop, Paint.Muted, 1.5, dash);
            }
        }
    }

    // How many of the rightmost names must stand left of their lines: those that do not fit, and those whose name would lie across the line of one that does not.
    private int Leftward(List<(ReferenceLine Line, double X)> lines)
    {
        var count = 0;
        var end = _right;
        for (var i = lines.Count - 1; i >= 0; i--)
        {
            if (lines[i].X + Gap + NameWidth(lines[i].Line) + Air < end) continue;
            count = lines.Count - i;
            end = lines[i].X;
        }
        return count;
    }

    private double NameWidth(ReferenceLine line) => Math.Min(TextMetrics.Width(line.Name, Frame.LabelSize), (_right - _left) / 3);

    private void Place(ReferenceLine line, double x, Anchor anchor)
    {
        var room = (anchor == Anchor.Start ? _right - x : x - _left) - Gap - Air;
        var text = TextMetrics.Shorten(line.Name, Frame.LabelSize, Math.Min(room, (_right - _left) / 3));
        if (line.Name.Length > 0 && text is "" or "…") return;
        for (var row = 0; ; row++)
        {
            var name = new TextMark(anchor == Anchor.Start ? x + Gap : x - Gap, -row * Row, text, Frame.LabelSize, Paint.Text, anchor, Tooltip: text == line.Name ? "" : line.Name);
            var box = new Box(name.Bounds.Left - Air, name.Bounds.Top, name.Bounds.Right + Air, name.Bounds.Bottom);
            // Another line passes this row when its own name stands in it or above.
            if (_taken.Exists(other => other.Box.Overlaps(box) || (other.Row >= row && other.X > box.Left && other.X < box.Right))) continue;
            _taken.Add((x, row, box));
            _flags.Add((line, x, name, row));
            return;
        }
    }
}
