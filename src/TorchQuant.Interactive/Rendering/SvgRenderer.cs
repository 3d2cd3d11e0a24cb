using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace TorchQuant.Interactive.Rendering;

/// <summary>
/// Writes a <see cref="Scene"/> as SVG. Text and lines take the colour of the surrounding text (currentColor), so an inline chart follows any page; a document of its own has its own ground and ink by
/// the reader's colour scheme, both in one style, so that it is legible whatever it is placed on. Ids come from the content: the same scene gives the same bytes.
/// </summary>
internal static class SvgRenderer
{
    // Hangul comes last in each system's own font, so that Latin text keeps the system's sans-serif.
    private const string Fonts = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR','Noto Sans CJK KR',sans-serif";

    /// <summary>For a page: no ground, the page's ink.</summary>
    public static string Inline(Scene scene) => Write(scene, ground: false);

    /// <summary>For a file or an image: with its own ground.</summary>
    public static string Document(Scene scene) => Write(scene, ground: true);

    private static string Write(Scene scene, bool ground)
    {
        var body = new StringBuilder();
        foreach (var mark in scene.Marks) Append(body, mark);
        var id = "tq-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(scene.Title + "\0" + scene.Description + "\0" + body)))[..12];
        string width = Markup.Number(scene.Width), height = Markup.Number(scene.Height);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"{id}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\"")
            .Append(CultureInfo.InvariantCulture, $" aria-labelledby=\"{id}-t {id}-d\" font-family=\"{Fonts}\" style=\"max-width:100%;height:auto;font-variant-numeric:tabular-nums\">\n")
            .Append(CultureInfo.InvariantCulture, $"<title id=\"{id}-t\">{Markup.Encode(scene.Title)}</title>\n<desc id=\"{id}-d\">{Markup.Encode(scene.Description)}</desc>\n");
        if (ground)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<style>#{id}{{color:#1f2328}}#{id}-g{{fill:#fff}}@media(prefers-color-scheme:dark){{#{id}{{color:#e6edf3}}#{id}-g{{fill:#161b22}}}}</style>\n")
                .Append(CultureInfo.InvariantCulture, $"<rect id=\"{id}-g\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#fff\"/>\n");
        }
        return svg.Append(body).Append("</svg>").ToString();
    }

    private static void Append(StringBuilder svg, Mark mark)
    {
        switch (mark)
        {
            case RectMark rect:
                svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{N(rect.X)}\" y=\"{N(rect.Y)}\" width=\"{N(rect.Width)}\" height=\"{N(rect.Height)}\"").Append(Colored("fill", rect.Fill));
                Close(svg, "rect", rect.Tooltip);
                break;
            case PathMark path:
                svg.Append("<path d=\"").Append(Commands(path.Points)).Append("\" fill=\"none\"").Append(Colored("stroke", path.Stroke))
                    .Append(CultureInfo.InvariantCulture, $" stroke-width=\"{N(path.Thickness)}\"");
                if (path.Thickness > 1) svg.Append(" stroke-linejoin=\"round\" stroke-linecap=\"").Append(path.Dash.Length == 0 ? "round\"" : "butt\"");
                if (path.Dash.Length > 0) svg.Append(CultureInfo.InvariantCulture, $" stroke-dasharray=\"{path.Dash}\"");
                Close(svg, "path", path.Tooltip);
                break;
            case DotsMark dots:
                svg.Append("<path d=\"");
                foreach (var (x, y) in dots.Points) svg.Append(CultureInfo.InvariantCulture, $"M{N(x)} {N(y)}h0");
                svg.Append("\" fill=\"none\"").Append(Colored("stroke", dots.Fill)).Append(CultureInfo.InvariantCulture, $" stroke-width=\"{N(dots.Diameter)}\" stroke-linecap=\"round\"/>\n");
                break;
            case ImageMark image:
                svg.Append(CultureInfo.InvariantCulture, $"<image x=\"{N(image.X)}\" y=\"{N(image.Y)}\" width=\"{N(image.Width)}\" height=\"{N(image.Height)}\" href=\"{Markup.Encode(image.DataUri)}\"")
                    .Append(" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\"");
                Close(svg, "image", image.Tooltip);
                break;
            case TextMark text:
                AppendText(svg, text);
                break;
            default:
                throw new ArgumentException($"The SVG renderer knows no mark {mark.GetType().Name}; add its case.", nameof(mark));
        }
    }

    private static void AppendText(StringBuilder svg, TextMark text)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{N(text.X)}\" y=\"{N(text.Y)}\" font-size=\"{N(text.Size)}\"").Append(Colored("fill", text.Fill));
        var anchor = text.Slanted ? Anchor.End : text.Anchor;
        if (anchor != Anchor.Start) svg.Append(anchor == Anchor.Middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"");
        if (text.Bold) svg.Append(" font-weight=\"600\"");
        if (text.Slanted) svg.Append(CultureInfo.InvariantCulture, $" transform=\"rotate(-{N(TextMark.Slant)} {N(text.X)} {N(text.Y)})\"");
        svg.Append('>').Append(Markup.Encode(text.Text));
        if (text.Tooltip.Length > 0) svg.Append("<title>").Append(Markup.Encode(text.Tooltip)).Append("</title>");
        svg.Append("</text>\n");
    }

    private static void Close(StringBuilder svg, string element, string tooltip)
    {
        if (tooltip.Length == 0) svg.Append("/>\n");
        else svg.Append("><title>").Append(Markup.Encode(tooltip)).Append(CultureInfo.InvariantCulture, $"</title></{element}>\n");
    }

    private static StringBuilder Commands(IReadOnlyList<(double X, double Y)> points)
    {
        var commands = new StringBuilder();
        var pen = false;
        foreach (var (x, y) in points)
        {
            if (double.IsNaN(y))
            {
                pen = false;
                continue;
            }
            commands.Append(pen ? 'L' : 'M').Append(N(x)).Append(' ').Append(N(y));
            pen = true;
        }
        return commands;
    }

    private static string Colored(string attribute, Paint paint) =>
        $" {attribute}=\"{Markup.Encode(paint.Color)}\"" + (paint.Opacity < 1 ? $" {attribute}-opacity=\"{N(paint.Opacity)}\"" : "");

    private static string N(double value) => Markup.Number(value);
}
