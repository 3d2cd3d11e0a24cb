using Microsoft.DotNet.Interactive.Formatting;

namespace TorchQuant.Notebooks.Engine;

/// <summary>One value in several forms, richest first; the reader (page, notebook, terminal) takes the first that it can show.</summary>
internal sealed class MimeBundle(IReadOnlyList<KeyValuePair<string, string>> forms)
{
    public const string Markdown = "text/markdown";
    public const string Svg = "image/svg+xml";

    public IReadOnlyList<KeyValuePair<string, string>> Forms { get; } = forms;

    /// <summary>The form for a terminal, or null when the value has none.</summary>
    public string? Plain => Form(PlainTextFormatter.MimeType) ?? Form(Markdown);

    public string? Form(string mimeType)
    {
        foreach (var (key, text) in Forms)
            if (key == mimeType)
                return text;
        return null;
    }

    public static MimeBundle OfText(string plain) => new([new(PlainTextFormatter.MimeType, plain)]);

    public static MimeBundle OfMarkdown(string markdown) => new([new(Markdown, markdown)]);
}
