using System.Text;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A text with the name of what wrote it.</summary>
/// <param name="Label">What wrote it; a data type's name gives its colour.</param>
/// <param name="Text">The text, with its line breaks.</param>
public sealed record TextSample(string Label, string Text);

/// <summary>Texts under each other, such as what a model generates before and after quantization.</summary>
/// <param name="Title">Above them; may be empty.</param>
/// <param name="Samples">The texts.</param>
public sealed record TextSamples(string Title, IReadOnlyList<TextSample> Samples) : Visual
{
    /// <inheritdoc/>
    public override string ToHtml()
    {
        var html = new StringBuilder(HtmlPage.Paragraph("tq-title", Title));
        foreach (var sample in Samples)
        {
            html.Append("<div class=\"tq-box\" style=\"border-color:").Append(Markup.Encode(Palette.ForName(sample.Label) ?? Palette.Neutral)).Append("\">\n")
                .Append(HtmlPage.Paragraph("tq-note", sample.Label)).Append("<p class=\"tq-text\">").Append(Markup.Encode(sample.Text)).Append("</p>\n</div>\n");
        }
        return HtmlPage.Block(html.ToString().TrimEnd());
    }

    /// <inheritdoc/>
    public override string ToText()
    {
        var parts = Samples.Select(sample => $"{sample.Label}:\n" + string.Join('\n', sample.Text.ReplaceLineEndings("\n").Split('\n').Select(line => "  " + line)));
        return string.Join("\n\n", Title.Length > 0 ? parts.Prepend(Title) : parts);
    }
}
