using System.Text;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A short summary in English and in Korean. Empty lines part paragraphs.</summary>
/// <param name="English">The English text.</param>
/// <param name="Korean">The same in Korean.</param>
public sealed record LanguageSummary(string English, string Korean) : Visual
{
    /// <inheritdoc/>
    public override string ToHtml() => HtmlPage.Block($"<div class=\"tq-box\" style=\"border-color:{Palette.Float}\">\n{Part("en", "Summary", English)}{Part("ko", "요약", Korean)}</div>");

    /// <inheritdoc/>
    public override string ToText() => $"Summary\n{English.Trim()}\n\n요약\n{Korean.Trim()}";

    private static string Part(string language, string heading, string text)
    {
        var html = new StringBuilder($"<div lang=\"{language}\">\n<p class=\"tq-title\">{heading}</p>\n");
        foreach (var paragraph in text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            html.Append("<p>").Append(Markup.Encode(paragraph)).Append("</p>\n");
        return html.Append("</div>\n").ToString();
    }
}
