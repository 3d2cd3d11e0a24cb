using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Markdig;
using Markdig.Extensions.Mathematics;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Html;

/// <summary>
/// The markdown of one notebook as HTML. Collects the headings over all cells and gives each an address of its own; pictures become part of the page,
/// those that lie on another machine a link.
/// </summary>
internal sealed class MarkdownText(string folder)
{
    private static readonly MarkdownPipeline s_pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables().UseGridTables().UseEmphasisExtras().UseTaskLists().UseFootnotes().UseAutoLinks().UseMathematics().Build();

    private static readonly Dictionary<string, string> s_pictures = new(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".webp"] = "image/webp",
        [".svg"] = "image/svg+xml",
    };

    private readonly List<Heading> _headings = [];
    private readonly HashSet<string> _ids = [];

    public IReadOnlyList<Heading> Headings => _headings;

    public string Render(string markdown, JsonObject? attachments)
    {
        var document = Markdown.Parse(markdown, s_pipeline);
        foreach (var heading in document.Descendants<HeadingBlock>())
        {
            var text = TextOf(heading.Inline);
            var id = NewId(text);
            heading.GetAttributes().Id = id;
            _headings.Add(new Heading(heading.Level, text, id));
        }
        foreach (var picture in document.Descendants<LinkInline>().Where(link => link.IsImage).ToArray())
        {
            if (Embedded(picture.Url ?? "", attachments) is { } data) picture.Url = data;
            else picture.IsImage = false;
        }
        using var html = new StringWriter();
        var renderer = new HtmlRenderer(html);
        s_pipeline.Setup(renderer);
        renderer.ObjectRenderers.ReplaceOrAdd<HtmlMathInlineRenderer>(new MathHtml.Inline());
        renderer.ObjectRenderers.ReplaceOrAdd<HtmlMathBlockRenderer>(new MathHtml.Block());
        renderer.Render(document);
        return html.ToString();
    }

    private string? Embedded(string url, JsonObject? attachments)
    {
        const string Attachment = "attachment:";
        if (url.StartsWith("data:", StringComparison.Ordinal)) return url;
        if (url.StartsWith(Attachment, StringComparison.Ordinal))
            return attachments?[Uri.UnescapeDataString(url[Attachment.Length..])] is JsonObject forms && forms.FirstOrDefault() is { Key: { } mime, Value: { } data }
                ? $"data:{mime};base64,{MultilineText.Read(data).ReplaceLineEndings("")}"
                : null;
        if (url.Contains("://", StringComparison.Ordinal)) return null;
        var path = Path.GetFullPath(Uri.UnescapeDataString(url), folder);
        return s_pictures.TryGetValue(Path.GetExtension(path), out var type) && File.Exists(path)
            ? $"data:{type};base64,{Convert.ToBase64String(File.ReadAllBytes(path))}"
            : null;
    }

    private static string TextOf(ContainerInline? inline)
    {
        var text = new StringBuilder();
        foreach (var part in inline?.Descendants() ?? [])
        {
            if (part is LiteralInline literal) text.Append(literal.Content);
            else if (part is CodeInline code) text.Append(code.Content);
            else if (part is LineBreakInline) text.Append(' ');
        }
        return text.ToString();
    }

    private string NewId(string text)
    {
        var letters = new string([.. text.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) ? c : '-')]).Trim('-');
        var id = letters.Length == 0 ? "section" : letters;
        for (var n = 2; !_ids.Add(id); n++) id = string.Create(CultureInfo.InvariantCulture, $"{letters}-{n}");
        return id;
    }
}
