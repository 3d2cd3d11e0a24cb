namespace TorchQuant.Interactive.Rendering;

/// <summary>
/// A <see cref="QuantizationGrid"/> under a plot: one tooth per level in a strip below the axis, and dashed lines where the range ends. Levels closer than the eye can part are drawn every 2nd, 4th, …
/// </summary>
internal sealed class Comb
{
    /// <summary>The height of the strip.</summary>
    public const double Height = 13;

    private const double LeastGap = 4, FullHeightGap = 14;

    private readonly QuantizationGrid _grid;
    private readonly AxisMap _x;
    private readonly long _every = 1;
    private readonly long _first, _last;
    private readonly double _gap;

    public Comb(QuantizationGrid grid, AxisMap x, double left, double right)
    {
        (_grid, _x) = (grid, x);
        (_first, _last) = (grid.QuantMax, grid.QuantMin);
        if (!x.CanPlace(grid.Minimum) || !x.CanPlace(grid.Maximum) || !(grid.Minimum < grid.Maximum)) return;
        _first = Code(x.Ticks.Low, Math.Ceiling);
        _last = Code(x.Ticks.High, Math.Floor);
        if (_last <= _first) return;
        _gap = (right - left) * (x.At(grid.ValueOf(_last)) - x.At(grid.ValueOf(_first))) / (_last - _first);
        while (_gap * _every < LeastGap && _every < grid.Levels) _every *= 2;
    }

    public LegendItem Legend
    {
        get
        {
            var name = $"int{BitCount} grid, step {NumberText.Short(_grid.Scale)}";
            return new LegendItem(_every == 1 ? name : $"{name}, 1 of {_every} drawn", new Paint(Palette.Int8), Swatch.Line, "1.5 2.5");
        }
    }

    private string BitCount => _grid.Levels switch { <= 16 => "4", <= 256 => "8", <= 65536 => "16", _ => "32" };

    /// <summary>The ends of the range, when it is not so much wider than the data that they would leave no room for it.</summary>
    public static IEnumerable<double> Ends(QuantizationGrid grid, IEnumerable<double> data)
    {
        var shown = data.Where(double.IsFinite).ToList();
        var range = shown.Count == 0 ? 0 : shown.Max() - shown.Min();
        return range == 0 || grid.Maximum - grid.Minimum <= 4 * range ? [grid.Minimum, grid.Maximum] : [];
    }

    public IEnumerable<Mark> Draw(PlotArea area)
    {
        var paint = new Paint(Palette.Int8);
        for (var code = _first; code <= _last; code += _every)
        {
            if (!_x.CanPlace(_grid.ValueOf(code))) continue;
            var x = area.X(_x, _grid.ValueOf(code));
            yield return PathMark.Line(x, area.Bottom + 2, x, area.Bottom + Height - 3, paint, Math.Clamp(_gap * _every / 3, 0.6, 1.6));
            if (_gap * _every >= FullHeightGap) yield return PathMark.Line(x, area.Top, x, area.Bottom, paint with { Opacity = 0.3 });
        }
        foreach (var end in new[] { _grid.Minimum, _grid.Maximum })
        {
            if (!_x.CanPlace(end) || end < _x.Ticks.Low || end > _x.Ticks.High) continue;
            var x = area.X(_x, end);
            yield return PathMark.Line(x, area.Top, x, area.Bottom, paint, 1.5, "5 4");
        }
    }

    // The code at a value of the axis, within the grid.
    private long Code(double value, Func<double, double> round) =>
        (long)Math.Clamp(round(value / _grid.Scale + _grid.ZeroPoint), _grid.QuantMin, _grid.QuantMax);
}
