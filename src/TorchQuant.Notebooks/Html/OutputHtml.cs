using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Html;

/// <summary>One output of a cell as HTML: of a value's forms the richest that a page can show.</summary>
internal static class OutputHtml
{
    private static readonly string[] s_images = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    public static void Append(StringBuilder html, JsonNode output, MarkdownText markdown)
    {
        switch ((string?)output["output_type"])
        {
            case "stream":
                var stream = (string?)output["name"] == "stderr" ? "stderr" : "stdout";
                html.Append(CultureInfo.InvariantCulture, $"<pre class=\"output {stream}\">").Append(Text(MultilineText.Read(output["text"]))).Append("</pre>\n");
                break;
            case "error":
                var (name, message) = ((string?)output["ename"] ?? "", (string?)output["evalue"] ?? "");
                html.Append("<div class=\"output error\"><p><strong>").Append(HtmlPage.Encode(name)).Append("</strong> ").Append(HtmlPage.Encode(message)).Append("</p>");
                var lines = output["traceback"] as JsonArray ?? [];
                var more = lines.Select(line => line?.ToString() ?? "").SkipWhile((line, i) => i == 0 && line == $"{name}: {message}").ToArray();
                if (more.Length > 0) html.Append("<pre>").Append(Text(string.Join('\n', more))).Append("</pre>");
                html.Append("</div>\n");
                break;
            default:
                if (output["data"] is JsonObject data) html.Append("<div class=\"output value\">").Append(Value(data, markdown)).Append("</div>\n");
                break;
        }
    }

    private static string Value(JsonObject data, MarkdownText markdown)
    {
        if (data["text/html"] is { } html) return MultilineText.Read(html);
        if (data[MimeBundle.Svg] is { } svg) return MultilineText.Read(svg);
        foreach (var mime in s_images)
            if (data[mime] is { } image)
                return $"<img alt=\"\" src=\"data:{mime};base64,{MultilineText.Read(image).ReplaceLineEndings("")}\">";
        if (data[MimeBundle.Markdown] is { } text) return markdown.Render(MultilineText.Read(text), attachments: null);
        if (data["text/plain"] is { } plain) return $"<pre>{Text(MultilineText.Read(plain))}</pre>";
        return data.FirstOrDefault() is { Value: { } other } ? $"<pre>{Text(other.ToString())}</pre>" : "";
    }

    private static string Text(string text) => HtmlPage.Encode(TerminalText.WithoutEscapes(TerminalText.Settle(text)).TrimEnd('\n'));
}
