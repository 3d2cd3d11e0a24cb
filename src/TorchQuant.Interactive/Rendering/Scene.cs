namespace TorchQuant.Interactive.Rendering;

/// <summary>A laid-out drawing: marks with coordinates in [0, Width] x [0, Height], y downwards. Renderers write it down, tests measure it.</summary>
internal sealed record Scene(string Title, string Description, double Width, double Height, IReadOnlyList<Mark> Marks);

/// <summary>An axis-parallel box.</summary>
internal readonly record struct Box(double Left, double Top, double Right, double Bottom)
{
    public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
}

/// <summary>What a mark is painted with: <see cref="Ink"/> is the page's own text colour, anything else is #rrggbb.</summary>
internal readonly record struct Paint(string Color, double Opacity = 1)
{
    public const string Ink = "currentColor";

    public static Paint Text => new(Ink);

    public static Paint Muted => new(Ink, 0.68);

    public static Paint AxisLine => new(Ink, 0.45);

    public static Paint GridLine => new(Ink, 0.13);
}

internal enum Anchor
{
    Start,
    Middle,
    End,
}

/// <summary>One thing drawn.</summary>
internal abstract record Mark
{
    /// <summary>The mark moved by (dx, dy).</summary>
    public abstract Mark Moved(double dx, double dy);

    /// <summary>The box that the mark fills.</summary>
    public abstract Box Bounds { get; }
}

internal sealed record RectMark(double X, double Y, double Width, double Height, Paint Fill, string Tooltip = "") : Mark
{
    public override Box Bounds => new(X, Y, X + Width, Y + Height);

    public override Mark Moved(double dx, double dy) => this with { X = X + dx, Y = Y + dy };
}

/// <summary>A line through points; a NaN point ends one stroke and the next point starts another.</summary>
internal sealed record PathMark(IReadOnlyList<(double X, double Y)> Points, Paint Stroke, double Thickness, string Dash = "", string Tooltip = "") : Mark
{
    public override Box Bounds
    {
        get
        {
            var drawn = Points.Where(p => !double.IsNaN(p.Y)).ToList();
            return drawn.Count == 0 ? default : new Box(drawn.Min(p => p.X), drawn.Min(p => p.Y), drawn.Max(p => p.X), drawn.Max(p => p.Y));
        }
    }

    public static PathMark Line(double x1, double y1, double x2, double y2, Paint stroke, double thickness = 1, string dash = "") => new([(x1, y1), (x2, y2)], stroke, thickness, dash);

    public override Mark Moved(double dx, double dy) => this with { Points = [.. Points.Select(p => (p.X + dx, p.Y + dy))] };
}

/// <summary>A picture that fills a box; its pixels stay sharp when they are enlarged.</summary>
internal sealed record ImageMark(double X, double Y, double Width, double Height, string DataUri, string Tooltip = "") : Mark
{
    public override Box Bounds => new(X, Y, X + Width, Y + Height);

    public override Mark Moved(double dx, double dy) => this with { X = X + dx, Y = Y + dy };
}

/// <summary>Round dots.</summary>
internal sealed record DotsMark(IReadOnlyList<(double X, double Y)> Points, Paint Fill, double Diameter) : Mark
{
    public override Box Bounds => Points.Count == 0
        ? default
        : new Box(Points.Min(p => p.X) - Diameter / 2, Points.Min(p => p.Y) - Diameter / 2, Points.Max(p => p.X) + Diameter / 2, Points.Max(p => p.Y) + Diameter / 2);

    public override Mark Moved(double dx, double dy) => this with { Points = [.. Points.Select(p => (p.X + dx, p.Y + dy))] };
}

/// <summary>One line of text whose baseline is at <paramref name="Y"/>.</summary>
/// <param name="X">Where the anchor is.</param>
/// <param name="Y">The baseline.</param>
/// <param name="Text">What is written.</param>
/// <param name="Size">The font size.</param>
/// <param name="Fill">The colour.</param>
/// <param name="Anchor">Which end of the text is at <paramref name="X"/>.</param>
/// <param name="Bold">Half bold.</param>
/// <param name="Slanted">Written upwards at 40 degrees from (X, Y); for long category names.</param>
/// <param name="Tooltip">Shown when pointed at; the whole text where it was shortened.</param>
internal sealed record TextMark(
    double X, double Y, string Text, double Size, Paint Fill, Anchor Anchor = Anchor.Start, bool Bold = false, bool Slanted = false, string Tooltip = "") : Mark
{
    /// <summary>The slant in degrees, and its sine and cosine.</summary>
    public const double Slant = 40, Sine = 0.6428, Cosine = 0.766;

    public override Box Bounds
    {
        get
        {
            var width = TextMetrics.Width(Text, Size, Bold);
            // A slanted text ends at (X, Y): the box of the turned rectangle.
            if (Slanted) return new Box(X - width * Cosine - Size * 0.5, Y - Size * 0.6, X + Size * 0.5, Y + width * Sine + Size * 0.3);
            var left = Anchor switch { Anchor.Start => X, Anchor.Middle => X - width / 2, _ => X - width };
            return new Box(left, Y - Size * 0.8, left + width, Y + Size * 0.22);
        }
    }

    public override Mark Moved(double dx, double dy) => this with { X = X + dx, Y = Y + dy };
}
