using Plotly.NET;

namespace TorchQuant.Interactive;

/// <summary>plotly.js as Plotly.NET carries it (3.6 MB, MIT license), and what draws our charts with it. Shown once, it serves every <see cref="InteractiveChart"/> of the page; nothing is loaded from anywhere.</summary>
public sealed record PlotlyLibrary : Visual
{
    private const string Resource = "Plotly.NET.plotly-";

    private PlotlyLibrary()
    {
    }

    /// <summary>The library: <c>display(PlotlyLibrary.Script)</c>.</summary>
    public static PlotlyLibrary Script { get; } = new();

    /// <inheritdoc/>
    // Notebook pages may hold a loader of modules, of which a library would become an anonymous one: it is told that there is none. Shown again, it does nothing.
    public override string ToHtml() =>
        $"<script>if(!window.TorchQuantPlotly){{if(!window.Plotly){{(function(define,module,exports){{\n{Library()}\n}}).call(window)}}\n{Text(typeof(PlotlyLibrary).Assembly.GetManifestResourceStream("draw.js")!)}\n}}</script>\n<small>Charts of this page are interactive.</small>";

    /// <inheritdoc/>
    public override string ToText() => "Charts are interactive in HTML pages.";

    private static string Library()
    {
        var assembly = typeof(Trace).Assembly;
        var name = assembly.GetManifestResourceNames().FirstOrDefault(name => name.StartsWith(Resource, StringComparison.Ordinal) && name.EndsWith(".min.js", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"{assembly.FullName} holds no plotly.js; use the version of Plotly.NET that this package names.");
        return Text(assembly.GetManifestResourceStream(name)!);
    }

    private static string Text(Stream stream)
    {
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
