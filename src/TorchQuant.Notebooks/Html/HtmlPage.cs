using System.Globalization;
using System.Net;
using System.Text;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Html;

/// <summary>
/// An executed notebook as one HTML file: no scripts of its own, nothing loaded from anywhere (the page forbids it, also to what cells displayed), light and dark by the reader's setting, fit to print.
/// It is made from the notebook's JSON alone, so that any executed notebook can be turned into a page.
/// </summary>
internal static class HtmlPage
{
    /// <summary>By this the programs here know a page of their own.</summary>
    public const string Mark = "<meta name=\"generator\" content=\"TorchQuant.Notebooks\">";

    // Charts' scripts stand in the page and may run; nothing may be asked of any machine.
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; img-src data: blob:; font-src data:; media-src data:; frame-src data: blob:; worker-src data: blob:";

    /// <param name="document">The executed notebook.</param>
    /// <param name="name">The title when the notebook has no heading of the first level.</param>
    /// <param name="folder">The notebook's folder: pictures that its text shows are read from there and put into the page.</param>
    public static string Render(NotebookDocument document, string name, string folder)
    {
        var markdown = new MarkdownText(folder);
        var body = new StringBuilder();
        foreach (var cell in document.Cells)
        {
            if (cell.IsMarkdown) body.Append("<section class=\"text\">\n").Append(markdown.Render(cell.Source, cell.Attachments)).Append("</section>\n");
            else if (cell.IsCode) AppendCode(body, cell, document.Language, markdown);
        }
        var title = markdown.Headings.FirstOrDefault(heading => heading.Level == 1)?.Text ?? name;
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            {Mark}
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{Encode(title)}</title>
            <style>
            {Style()}
            </style>
            </head>
            <body>
            <aside>
            <p class="notebook">{Encode(name)}</p>
            <p class="facts">{Facts(document)}</p>
            <label class="switch"><input type="checkbox" id="hide-code"> hide code</label>
            {Contents(markdown.Headings)}
            </aside>
            <main>
            {body}</main>
            </body>
            </html>

            """;
    }

    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static void AppendCode(StringBuilder body, NotebookCell cell, string? language, MarkdownText markdown)
    {
        var source = cell.Source.TrimEnd();
        var failed = cell.Outputs.Any(output => (string?)output?["output_type"] == "error");
        body.Append(CultureInfo.InvariantCulture, $"<section class=\"cell{(failed ? " failed" : "")}\" id=\"cell-{Encode(cell.Id)}\">\n");
        if (source.Length > 0)
        {
            var open = cell.Tags.Contains("hide-input") ? "" : " open";
            var time = cell.Duration is { } duration ? $"<span class=\"time\">{TerminalReport.Seconds(duration)}</span>" : "";
            var count = cell.ExecutionCount?.ToString(CultureInfo.InvariantCulture) ?? " ";
            body.Append(CultureInfo.InvariantCulture, $"<details class=\"code\"{open}><summary><span class=\"count\">[{count}]</span>{time}</summary>");
            body.Append("<pre><code>").Append(Highlight(source, cell.Language ?? language)).Append("</code></pre></details>\n");
        }
        foreach (var output in cell.Outputs)
            if (output is not null)
                OutputHtml.Append(body, output, markdown);
        body.Append("</section>\n");
    }

    // A line like #!fsharp changes the language of what follows in its cell.
    private static string Highlight(string code, string? language)
    {
        var (html, part, isFSharp) = (new StringBuilder(), new List<string>(), IsFSharp(language));
        void End()
        {
            if (part.Count > 0) html.Append(html.Length > 0 ? "\n" : "").Append(isFSharp ? FSharpHighlighter.ToHtml(string.Join('\n', part)) : CodeHighlighter.ToHtml(string.Join('\n', part)));
            part.Clear();
        }
        foreach (var line in code.ReplaceLineEndings("\n").Split('\n'))
        {
            if (line.StartsWith("#!", StringComparison.Ordinal) && CellSegment.IsLanguage(line[2..].Trim()))
            {
                End();
                html.Append(html.Length > 0 ? "\n" : "").Append("<span class=\"d\">").Append(Encode(line)).Append("</span>");
                isFSharp = IsFSharp(line[2..].Trim());
            }
            else
            {
                part.Add(line);
            }
        }
        End();
        return html.ToString();
    }

    private static bool IsFSharp(string? language) => language?.ToUpperInvariant() is "F#" or "FSHARP" or "FS";

    private static string Facts(NotebookDocument document)
    {
        var times = document.Cells.Where(cell => cell.IsCode).Select(cell => cell.Duration).OfType<TimeSpan>().ToArray();
        if (times.Length == 0) return "";
        return $"{times.Length} cells run in {TerminalReport.Seconds(times.Aggregate(TimeSpan.Zero, (sum, time) => sum + time))}";
    }

    private static string Contents(IReadOnlyList<Heading> headings)
    {
        var entries = headings.Where(heading => heading.Level <= 3)
            .Select(heading => $"<li class=\"level-{heading.Level}\"><a href=\"#{Encode(heading.Id)}\">{Encode(heading.Text)}</a></li>").ToArray();
        return entries.Length < 2 ? "" : $"<nav aria-label=\"Contents\"><ul>\n{string.Join('\n', entries)}\n</ul></nav>";
    }

    private static string Style()
    {
        using var reader = new StreamReader(typeof(HtmlPage).Assembly.GetManifestResourceStream("page.css")!);
        return reader.ReadToEnd().TrimEnd();
    }
}
