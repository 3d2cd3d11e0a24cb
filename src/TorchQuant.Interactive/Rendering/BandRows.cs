namespace TorchQuant.Interactive.Rendering;

/// <summary>The bands of a chart on its horizontal axis: above the plot a row for each, with its name and a bar that spans it; in the plot its ends and a shade.</summary>
internal sealed class BandRows
{
    private const double Row = 23, BarHeight = 5;

    private readonly IReadOnlyList<(ReferenceBand Band, string Color)> _bands;
    private readonly AxisMap _x;
    private readonly double _left, _right;

    public BandRows(IReadOnlyList<(ReferenceBand Band, string Color)> bands, AxisMap x, double left, double right)
    {
        _bands = [.. bands.Where(band => band.Band.OnX && x.Reaches(band.Band.From, band.Band.To))];
        (_x, _left, _right) = (x, left, right);
    }

    /// <summary>How high the rows are together.</summary>
    public double Height => _bands.Count == 0 ? 0 : _bands.Count * Row + 8;

    /// <summary>The ends of <paramref name="band"/>, when they are not so far from the data that they would leave it no room.</summary>
    public static IEnumerable<double> Ends(ReferenceBand band, IReadOnlyList<double> data)
    {
        var shown = data.Where(value => Math.Abs(value) <= Ticks.Largest).ToList();
        var range = shown.Count == 0 ? 0 : shown.Max() - shown.Min();
        if (range == 0) return [band.From, band.To];
        return new[] { band.From, band.To }.Where(end => end >= shown.Min() - 3 * range && end <= shown.Max() + 3 * range);
    }

    /// <summary>A name and its ends, as it is written wherever the band is named.</summary>
    public static string Caption(ReferenceBand band) => $"{band.Name}: {NumberText.Short(band.From)} to {NumberText.Short(band.To)}";

    /// <summary>The rows, from <paramref name="top"/> down.</summary>
    public IEnumerable<Mark> Rows(double top)
    {
        for (var i = 0; i < _bands.Count; i++)
        {
            var (band, color) = _bands[i];
            double from = Within(band.From), to = Within(band.To), y = top + 8 + i * Row;
            var caption = Caption(band);
            var text = TextMetrics.Shorten(caption, Frame.LabelSize, _right - _left);
            var x = Math.Max(_left, Math.Min(from, _right - TextMetrics.Width(text, Frame.LabelSize)));
            yield return new TextMark(x, y + 10, text, Frame.LabelSize, Paint.Text, Tooltip: text == caption ? "" : caption);
            yield return new RectMark(from, y + 14, Math.Max(1, to - from), BarHeight, new Paint(color), caption);
        }
    }

    /// <summary>Behind the data: a light shade, darker where bands lie over each other.</summary>
    public IEnumerable<Mark> Shades(PlotArea area)
    {
        foreach (var (band, color) in _bands)
        {
            double from = Within(band.From), to = Within(band.To);
            yield return new RectMark(from, area.Top, Math.Max(1, to - from), area.Bottom - area.Top, new Paint(color, 0.12 / Math.Sqrt(_bands.Count)));
        }
    }

    /// <summary>Over the data: the ends that lie on the axis, each band dashed in its own way.</summary>
    public IEnumerable<Mark> EndLines(PlotArea area)
    {
        for (var i = 0; i < _bands.Count; i++)
        {
            var (band, color) = _bands[i];
            foreach (var end in new[] { band.From, band.To })
                if (_x.Reaches(end, end)) yield return PathMark.Line(Within(end), area.Top, Within(end), area.Bottom, new Paint(color), 1.6, BarPlot.Dash(i));
        }
    }

    // A logarithmic axis has no place for zero and less: they lie beyond its lower end.
    private double Within(double value) => _left + (_right - _left) * (_x.CanPlace(value) ? _x.At(value) : value > 0 ? 1 : 0);
}
