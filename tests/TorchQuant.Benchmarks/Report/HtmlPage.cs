using System.Net;
using System.Text;
using TorchQuant.Interactive;

namespace TorchQuant.Benchmarks.Report;

/// <summary>A page that holds charts and tables, without scripts and without other files.</summary>
internal static class HtmlPage
{
    public static void Write(string path, string title, IEnumerable<Visual> visuals, string conditions)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        var page = new StringBuilder($$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="color-scheme" content="light dark">
            <meta name="viewport" content="width=device-width">
            <title>{{title}}</title>
            </head>
            <body style="max-width:900px;margin:2em auto;padding:0 1em;font-family:system-ui,sans-serif">
            <h1>{{title}}</h1>
            <p>{{WebUtility.HtmlEncode(conditions)}}</p>

            """);
        foreach (Visual visual in visuals)
            page.Append(visual.ToHtml()).Append('\n');
        File.WriteAllText(path, page.Append("</body>\n</html>\n").ToString());
    }
}
