namespace TorchQuant.Interactive.Rendering;

/// <summary>How a legend shows a series.</summary>
internal enum Swatch
{
    Box,
    Line,
    Dot,
}

internal sealed record LegendItem(string Name, Paint Paint, Swatch Swatch, string Dash = "");

/// <summary>
/// What is round the axes of a chart, from top to bottom: title, subtitle, legend, then what the plot draws, then the caption. A band each, so that nothing can overlap.
/// </summary>
internal sealed class Frame
{
    public const double Margin = 16;
    public const double LabelSize = 12;

    private readonly Chart _chart;

    public Frame(Chart chart)
    {
        _chart = chart;
        Y = 8;
        Lines(chart.Title, 16, Paint.Text, maxLines: 3, bold: true);
        Lines(chart.Subtitle, 13, Paint.Muted, maxLines: 6, bold: false);
    }

    public List<Mark> Marks { get; } = [];

    /// <summary>The upper end of what is still free.</summary>
    public double Y { get; set; }

    public double Width => _chart.Width;

    /// <summary>Where the name of the axis stands, with some air; empty when there is none.</summary>
    public Box AxisNameBox { get; private set; }

    /// <summary>Items in rows, as many in a row as fit.</summary>
    public void Legend(IReadOnlyList<LegendItem> items)
    {
        if (items.Count == 0) return;
        const double swatch = 16, gap = 6, between = 18, row = 19;
        var x = Margin;
        Y += 8;
        foreach (var item in items)
        {
            var name = TextMetrics.Shorten(item.Name, LabelSize, Width - 2 * Margin - swatch - gap);
            var width = swatch + gap + TextMetrics.Width(name, LabelSize);
            if (x > Margin && x + width > Width - Margin) (x, Y) = (Margin, Y + row);
            var middle = Y + row / 2;
            Marks.Add(item.Swatch switch
            {
                Swatch.Box => new RectMark(x + 2, middle - 6, 12, 12, item.Paint),
                Swatch.Dot => new DotsMark([(x + swatch / 2, middle)], item.Paint, 7),
                _ => PathMark.Line(x, middle, x + swatch, middle, item.Paint, 2.2, item.Dash),
            });
            Marks.Add(new TextMark(x + swatch + gap, middle + 4, name, LabelSize, Paint.Text, Tooltip: name == item.Name ? "" : item.Name));
            x += width + between;
        }
        Y += row;
    }

    /// <summary>The name of an axis, above it at the left: upright text is easier to read than turned text.</summary>
    public void AxisName(string caption)
    {
        Y += 8;
        if (caption.Length == 0) return;
        Y += 15;
        var name = new TextMark(Margin, Y - 4, TextMetrics.Shorten(caption, LabelSize, Width - 2 * Margin), LabelSize, Paint.Muted);
        AxisNameBox = new Box(name.Bounds.Left, name.Bounds.Top - 1, name.Bounds.Right + 4, name.Bounds.Bottom + 1);
        Marks.Add(name);
    }

    /// <summary>The name of the axis below the plot, centred over [left, right].</summary>
    public void AxisNameBelow(string caption, double left, double right)
    {
        if (caption.Length == 0) return;
        Y += 17;
        Marks.Add(new TextMark((left + right) / 2, Y - 4, TextMetrics.Shorten(caption, LabelSize, right - left), LabelSize, Paint.Muted, Anchor.Middle));
    }

    /// <summary>Adds the caption and <paramref name="note"/>, and closes the drawing.</summary>
    public Scene Finish(string description, string note)
    {
        var caption = _chart.Caption.Length > 0 && note.Length > 0 ? _chart.Caption + " " + note : _chart.Caption + note;
        if (caption.Length > 0) Y += 4;
        Lines(caption, 11.5, Paint.Muted, maxLines: 8, bold: false);
        return new Scene(_chart.Title, _chart.Subtitle.Length == 0 ? description : _chart.Subtitle + " " + description, Width, Math.Ceiling(Y + 10), Marks);
    }

    private void Lines(string text, double size, Paint paint, int maxLines, bool bold)
    {
        foreach (var line in TextMetrics.Wrap(text, size, Width - 2 * Margin, maxLines, bold))
        {
            Y += Math.Round(size * 1.35);
            Marks.Add(new TextMark(Margin, Y - size * 0.25, line, size, paint, Bold: bold));
        }
    }
}
