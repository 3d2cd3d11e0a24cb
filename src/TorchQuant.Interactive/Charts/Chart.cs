using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>
/// A chart as data: what to show, not how. <see cref="ToSvg"/>, <see cref="Visual.ToHtml"/> and <see cref="Visual.ToText"/> render it; the same chart always gives the same output.
/// </summary>
/// <param name="Title">The title, above the chart.</param>
[TypeFormatterSource(typeof(DrawingFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Svg, MimeTypes.Text])]
public abstract record Chart(string Title) : Visual, IDrawing
{
    /// <summary>One or two sentences under the title: what to see.</summary>
    public string Subtitle { get; init; } = "";

    /// <summary>Small print under the chart: conditions, source.</summary>
    public string Caption { get; init; } = "";

    /// <summary>The width in CSS pixels at which the chart is laid out, 280 to 2000; it shrinks with a narrower page.</summary>
    public int Width
    {
        get;
        init => field = value is >= 280 and <= 2000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A chart's width is 280 to 2000 pixels.");
    } = 720;

    /// <summary>The height in CSS pixels of the area between the axes, 60 to 2000; charts with horizontal bars choose their own. Titles, legend and labels come on top.</summary>
    public int PlotHeight
    {
        get;
        init => field = value is >= 60 and <= 2000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A chart's plot height is 60 to 2000 pixels.");
    } = 260;

    /// <summary>Lines that may differ in where their points are.</summary>
    public static XyChart Lines(
        string title, IReadOnlyList<LineSeries> lines, Axis? x = null, Axis? y = null, string subtitle = "", string caption = "", IReadOnlyList<ReferenceLine>? references = null) =>
        new(title, lines) { X = x ?? new Axis(), Y = y ?? new Axis(), Subtitle = subtitle, Caption = caption, References = references ?? [] };

    /// <summary>Points that are not joined.</summary>
    public static XyChart Points(
        string title, IReadOnlyList<PointSeries> points, Axis? x = null, Axis? y = null, string subtitle = "", string caption = "", IReadOnlyList<ReferenceLine>? references = null) =>
        new(title, points) { X = x ?? new Axis(), Y = y ?? new Axis(), Subtitle = subtitle, Caption = caption, References = references ?? [] };

    /// <summary>How <paramref name="values"/> are distributed, with the numbers that a quantized type can hold (<paramref name="grid"/>) under it.</summary>
    public static XyChart Histogram(
        string title, ReadOnlySpan<float> values, Axis? x = null, QuantizationGrid? grid = null, int bins = 80, string name = "float", Axis? y = null, string subtitle = "", string caption = "") =>
        Histograms(title, [HistogramSeries.Count(name, values, bins)], x, grid, y, subtitle, caption);

    /// <summary>Histograms over each other.</summary>
    public static XyChart Histograms(
        string title, IReadOnlyList<HistogramSeries> histograms, Axis? x = null, QuantizationGrid? grid = null, Axis? y = null, string subtitle = "", string caption = "",
        IReadOnlyList<ReferenceLine>? references = null, IReadOnlyList<ReferenceBand>? bands = null) =>
        new(title, histograms) { X = x ?? new Axis("value"), Y = y ?? new Axis("count"), Grid = grid, Subtitle = subtitle, Caption = caption, References = references ?? [], Bands = bands ?? [] };

    /// <summary>Standing bars between two values, such as the range of the weights of each channel; a band shows the range of all together.</summary>
    public static XyChart Ranges(
        string title, IReadOnlyList<RangeSeries> ranges, Axis? x = null, Axis? y = null, string subtitle = "", string caption = "", IReadOnlyList<ReferenceLine>? references = null,
        IReadOnlyList<ReferenceBand>? bands = null) =>
        new(title, ranges) { X = x ?? new Axis("channel"), Y = y ?? new Axis("value"), Subtitle = subtitle, Caption = caption, References = references ?? [], Bands = bands ?? [] };

    /// <summary>Bars: one group per category, one bar of it per series.</summary>
    /// <exception cref="ArgumentException">A series has not one value per category.</exception>
    public static BarChart Bars(
        string title, IReadOnlyList<string> categories, IReadOnlyList<BarSeries> bars, Axis? value = null, BarLayout layout = BarLayout.Grouped, bool horizontal = false,
        string category = "", string subtitle = "", string caption = "", IReadOnlyList<ReferenceLine>? references = null) =>
        new(title, categories, bars)
        {
            Value = value ?? new Axis(),
            Layout = layout,
            Horizontal = horizontal,
            CategoryLabel = category,
            Subtitle = subtitle,
            Caption = caption,
            References = references ?? [],
        };

    /// <summary>Numbers in rows and columns as shades.</summary>
    /// <exception cref="ArgumentException">There are not rows × columns numbers, or none.</exception>
    public static HeatMap Heat(
        string title, int rows, int columns, Values values, string row = "row", string column = "column", string subtitle = "", string caption = "") =>
        new(title, rows, columns, values) { RowLabel = row, ColumnLabel = column, Subtitle = subtitle, Caption = caption };

    /// <summary>A whole SVG document: text is text, no script, its own light or dark ground by the reader's colour scheme.</summary>
    public string ToSvg() => SvgRenderer.Document(Draw());

    /// <inheritdoc/>
    public override string ToHtml() => HtmlPage.Figure(SvgRenderer.Inline(Draw()));

    /// <inheritdoc/>
    public override string ToText() => TextCharts.Render(this);

    internal abstract Scene Draw();

    Scene IDrawing.Draw() => Draw();
}

/// <summary>What can be drawn.</summary>
internal interface IDrawing
{
    Scene Draw();

    string ToSvg();
}
