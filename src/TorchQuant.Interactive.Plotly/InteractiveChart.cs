using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Plotly.NET;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>
/// A chart whose HTML becomes interactive where the page holds <see cref="PlotlyLibrary.Script"/>, before or after it. Until then, in hosts that run no scripts, and in the SVG and text forms it is the static chart.
/// The same chart always gives the same output.
/// </summary>
[TypeFormatterSource(typeof(DrawingFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Svg, MimeTypes.Text])]
public sealed record InteractiveChart : Visual, IDrawing
{
    private readonly string _figure;

    internal InteractiveChart(Chart chart) => (Chart, _figure) = (chart, GenericChart.toFigureJson(PlotlyFigure.Of(chart)));

    /// <summary>The chart as data.</summary>
    public Chart Chart { get; }

    /// <inheritdoc/>
    public override string ToHtml()
    {
        var figure = ScriptText(_figure);
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(figure)))[..12];
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<figure class=\"tq-plotly\" data-tq-plotly=\"{key}\" style=\"margin:.6em 0;max-width:{Chart.Width}px\">\n")
            .Append("<figcaption style=\"display:none;font-family:system-ui,sans-serif\">").Append(Heading()).Append("</figcaption>\n")
            .Append("<div class=\"tq-static\">").Append(SvgRenderer.Inline(Chart.Draw())).Append("</div>\n")
            .Append(CultureInfo.InvariantCulture, $"<script type=\"application/json\">{figure}</script>\n</figure>\n")
            // The library may come later in the page; it then draws what waits for it.
            .Append(CultureInfo.InvariantCulture, $"<script>window.TorchQuantPlotly&&TorchQuantPlotly.drawAll(\"{key}\")</script>");
        return html.ToString();
    }

    /// <summary>The static chart as an SVG document.</summary>
    public string ToSvg() => Chart.ToSvg();

    /// <inheritdoc/>
    public override string ToText() => Chart.ToText();

    Scene IDrawing.Draw() => Chart.Draw();

    /// <summary>JSON that ends no script element: what could, stands only in its strings, which may be escaped.</summary>
    internal static string ScriptText(string json)
    {
        var text = new StringBuilder(json.Length);
        foreach (var c in json)
        {
            if (c is '<' or '>' or '&' or '\u2028' or '\u2029' || char.IsSurrogate(c) || c == '\0') text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else text.Append(c);
        }
        return text.ToString();
    }

    private string Heading()
    {
        var html = new StringBuilder();
        if (Chart.Title.Length > 0) html.Append("<div style=\"font-weight:600;font-size:16px\">").Append(Markup.Encode(Chart.Title)).Append("</div>");
        foreach (var line in new[] { Chart.Subtitle, Chart.Caption }.Where(line => line.Length > 0))
            html.Append("<div style=\"font-size:13px;opacity:.75\">").Append(Markup.Encode(line)).Append("</div>");
        return html.ToString();
    }
}
