using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A page of its own for scripts and applications: <c>File.WriteAllText("report.html", InteractivePage.Html("Report", [chart, table]))</c>.</summary>
public static class InteractivePage
{
    /// <summary>A self-contained HTML page, light or dark by the reader's setting, that needs no network. Its charts are interactive; plotly.js is in it once, and not at all when there is no chart.</summary>
    /// <param name="title">The page's title and heading.</param>
    /// <param name="visuals">What it shows, from top to bottom.</param>
    public static string Html(string title, IReadOnlyList<Visual> visuals)
    {
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(visuals);
        var shown = visuals.Select(Interactive).ToList();
        var library = shown.Any(visual => visual is InteractiveChart || visual is VisualGroup group && group.Visuals.Any(part => part is InteractiveChart)) ? PlotlyLibrary.Script.ToHtml() : "";
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{Markup.Encode(title)}</title>
            <style>
            body{"{"}max-width:62rem;margin:0 auto;padding:1rem 1.5rem 4rem;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans KR",sans-serif;background:#fff;color:#1f2328{"}"}
            @media(prefers-color-scheme:dark){"{"}body{"{"}background:#0f1318;color:#e6e9ed{"}"}{"}"}
            </style>
            </head>
            <body>
            <h1>{Markup.Encode(title)}</h1>
            {string.Join('\n', shown.Select(visual => visual.ToHtml()))}
            {library}
            </body>
            </html>

            """;
    }

    private static Visual Interactive(Visual visual) => visual switch
    {
        Chart chart => chart.Interactive(),
        Gallery gallery => new VisualGroup([.. gallery.Charts.Select(chart => chart.Interactive())]),
        VisualGroup group => new VisualGroup([.. group.Visuals.Select(Interactive)]),
        _ => visual,
    };
}
