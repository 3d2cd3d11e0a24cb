using System.Text;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>Small images in rows, each with its caption and what models say of it; pixels stay sharp when they are enlarged. As text only what is written.</summary>
/// <param name="Title">Above them; may be empty.</param>
/// <param name="Images">The images.</param>
[TypeFormatterSource(typeof(DrawingFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Svg, MimeTypes.Text])]
public sealed record ImageGrid(string Title, IReadOnlyList<GridImage> Images) : Visual, IDrawing
{
    /// <summary>Small print below.</summary>
    public string Caption { get; init; } = "";

    /// <summary>How wide an image is shown, in CSS pixels, 16 to 1024.</summary>
    public int ImageWidth
    {
        get;
        init => field = value is >= 16 and <= 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "An image is shown 16 to 1024 pixels wide.");
    } = 112;

    // Room for a line such as "int8 T-shirt/top, 98 % ✗".
    internal const int LeastColumn = 172;

    /// <inheritdoc/>
    public override string ToHtml()
    {
        var html = new StringBuilder(HtmlPage.Paragraph("tq-title", Title)).Append($"<div class=\"tq-images\" style=\"grid-template-columns:repeat(auto-fill,{Math.Max(ImageWidth, LeastColumn)}px)\">\n");
        foreach (var image in Images)
        {
            var height = Math.Max(1, (int)Math.Round((double)ImageWidth * image.Height / image.Width));
            // Without the style sheet the figures stand in rows all the same.
            html.Append("<figure style=\"display:inline-block;margin:0;vertical-align:top\">")
                .Append($"<img src=\"{image.DataUri}\" width=\"{Markup.Number(ImageWidth)}\" height=\"{Markup.Number(height)}\" style=\"image-rendering:pixelated\" alt=\"{Markup.Encode(image.Caption)}\"/><figcaption>");
            if (image.Caption.Length > 0) html.Append("<div>").Append(Markup.Encode(image.Caption)).Append("</div>");
            foreach (var prediction in image.Predictions) html.Append(HtmlOf(prediction));
            html.Append("</figcaption></figure>\n");
        }
        return HtmlPage.Block(html.Append("</div>\n").Append(HtmlPage.Paragraph("tq-note", Caption)).ToString().TrimEnd());
    }

    /// <inheritdoc/>
    public override string ToText()
    {
        var lines = Images.Select((image, i) => string.Join("  ", image.Predictions.Select(TextOf).Prepend($"{i + 1}. {image.Caption}".TrimEnd())));
        return string.Join('\n', new[] { Title }.Concat(lines).Append(Caption).Where(line => line.Length > 0));
    }

    /// <summary>The images in one SVG document, each in it as a PNG.</summary>
    public string ToSvg() => SvgRenderer.Document(ImagePlot.Draw(this));

    Scene IDrawing.Draw() => ImagePlot.Draw(this);

    private static string HtmlOf(ImagePrediction prediction)
    {
        var mark = prediction.Right switch { true => " <span title=\"right\">✓</span>", false => " <strong title=\"wrong\">✗</strong>", null => "" };
        var dot = $"<span class=\"tq-dot\" style=\"background:{Palette.ForName(prediction.Model) ?? Palette.Neutral}\"></span>";
        return $"<div{(prediction.Right == false ? " class=\"tq-wrong\"" : "")}>{dot}<small>{Markup.Encode(prediction.Model)}</small> {Markup.Encode(prediction.Class)}{mark}</div>";
    }

    private static string TextOf(ImagePrediction prediction) =>
        $"{prediction.Model}: {prediction.Class}" + prediction.Right switch { true => " ✓", false => " ✗", null => "" };
}
