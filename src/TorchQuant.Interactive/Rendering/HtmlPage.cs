namespace TorchQuant.Interactive.Rendering;

/// <summary>The HTML round what we show: one class prefix (tq-), one style sheet, everything in the page's own text colour.</summary>
internal static class HtmlPage
{
    // Repeated with every output, because a notebook may show any one of them alone; a host that strips style elements still shows plain tables.
    private const string Style = """
        <style>
        .tq{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans","Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR",sans-serif;font-size:14px;line-height:1.45;max-width:100%;margin:.6em 0}
        .tq-title{font-weight:600;font-size:15px;margin:0 0 .35em}
        .tq-note{opacity:.7;font-size:12.5px;margin:.35em 0 0}
        .tq-wide{overflow-x:auto}
        .tq table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0;border:0}
        .tq th,.tq td{padding:.28em .7em;text-align:left;border:0;border-bottom:1px solid color-mix(in srgb,currentColor 16%,transparent);background:none;color:inherit;vertical-align:top}
        .tq th{font-weight:600;border-bottom:2px solid color-mix(in srgb,currentColor 45%,transparent);vertical-align:bottom}
        .tq th small{font-weight:400;opacity:.7}
        .tq .tq-end{text-align:right}.tq td.tq-end{white-space:nowrap}.tq .tq-middle{text-align:center}
        .tq .tq-best{font-weight:700;text-decoration:underline;text-decoration-thickness:2px;text-underline-offset:3px}
        .tq .tq-total td{border-top:2px solid color-mix(in srgb,currentColor 45%,transparent);font-weight:600}
        .tq code{font-family:ui-monospace,SFMono-Regular,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em;white-space:pre;background:none;color:inherit;padding:0}
        .tq-dot{display:inline-block;width:.62em;height:.62em;border-radius:50%;margin-right:.5em}
        .tq-typed{display:inline-block;position:relative;padding-left:1.1em}
        .tq-typed .tq-dot{position:absolute;left:0;top:.42em;margin:0}
        .tq-box{border-left:3px solid currentColor;padding:.15em 0 .15em .9em}
        .tq-box p{margin:.25em 0}
        .tq-text{white-space:pre-wrap;margin:.2em 0}
        .tq-images{display:grid;gap:16px 12px}
        .tq-images img{display:block;border:1px solid color-mix(in srgb,currentColor 25%,transparent)}
        .tq-images figcaption{font-size:12.5px;line-height:1.4;margin-top:.3em;overflow-wrap:anywhere}
        .tq-images figcaption small{opacity:.7}
        .tq-wrong{text-decoration:underline;text-decoration-style:dotted;text-decoration-thickness:1.5px;text-underline-offset:3px}
        .tq-row{display:flex;flex-wrap:wrap;gap:1.2em}
        .tq-bar{height:8px;border-radius:4px;background:color-mix(in srgb,currentColor 16%,transparent);overflow:hidden;max-width:520px}
        .tq-bar div{height:100%;border-radius:4px}
        </style>
        """;

    /// <summary>An element of class tq with the style sheet before it. <paramref name="inner"/> is markup.</summary>
    public static string Block(string inner) => Style + "\n<div class=\"tq\">\n" + inner + "\n</div>";

    /// <summary>A drawing as a block of its own; needs no style sheet.</summary>
    public static string Figure(string svg) => "<figure style=\"margin:.6em 0\">\n" + svg + "\n</figure>";

    /// <summary>A paragraph of a class, or nothing when <paramref name="text"/> (plain text) is empty.</summary>
    public static string Paragraph(string cssClass, string text) => text.Length == 0 ? "" : $"<p class=\"{cssClass}\">{Markup.Encode(text)}</p>\n";
}
