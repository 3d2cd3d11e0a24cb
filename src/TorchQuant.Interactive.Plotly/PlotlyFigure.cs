using System.Text;
using Plotly.NET;
using Plotly.NET.LayoutObjects;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A chart as Plotly's traces and layout. The names are those of plotly.js's reference.</summary>
internal static class PlotlyFigure
{
    public static GenericChart Of(Chart chart)
    {
        var (traces, layout) = chart switch
        {
            XyChart xy => XyFigure.Of(xy),
            BarChart bars => BarFigure.Of(bars),
            HeatMap map => MatrixFigure.Of(map),
            ConfusionMatrix matrix => MatrixFigure.Of(matrix),
            ConfusionChange change => MatrixFigure.Of(change),
            _ => throw new ArgumentException($"The interactive renderer knows no {chart.GetType().Name}; show the chart itself, or add its case.", nameof(chart)),
        };
        layout.With("title", new Dictionary<string, object?> { ["text"] = Text(chart.Title) });
        return GenericChart.setLayout(layout, GenericChart.ofTraceObjects(false, Microsoft.FSharp.Collections.ListModule.OfSeq(traces)));
    }

    /// <summary>Plotly reads tags and entities in texts, of which it knows these three. Controls and lone surrogates become U+FFFD, as in the static chart.</summary>
    public static string Text(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            encoded.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '\n' or '\t' => " ",
                < 0x20 or 0xFFFE or 0xFFFF => "\uFFFD",
                _ => rune.ToString(),
            });
        }
        return encoded.ToString();
    }

    /// <summary>Numbers as JSON has them: what is not finite is null, which Plotly leaves out.</summary>
    public static double?[] Numbers(IEnumerable<double> values) => [.. values.Select(value => double.IsFinite(value) ? value : (double?)null)];

    /// <summary>#rrggbb as Plotly's rgba().</summary>
    public static string Rgba(string color, double opacity)
    {
        var rgb = Convert.ToInt32(color[1..], 16);
        return FormattableString.Invariant($"rgba({rgb >> 16},{(rgb >> 8) & 255},{rgb & 255},{Math.Round(opacity, 3)})");
    }

    public static string Rgba(Paint paint) => paint.Color == Paint.Ink ? Rgba(Palette.Neutral, paint.Opacity) : Rgba(paint.Color, paint.Opacity);

    public static Trace Trace(string type, params (string Name, object? Value)[] members)
    {
        var trace = new Trace(type);
        foreach (var (name, value) in members) trace.With(name, value);
        return trace;
    }

    public static Dictionary<string, object?> Map(params (string Name, object? Value)[] members) => members.ToDictionary(member => member.Name, member => member.Value);

    public static Layout LayoutOf(LinearAxis x, LinearAxis y, double height, int legendItems)
    {
        var layout = new Layout();
        layout.With("xaxis", x).With("yaxis", y).With("height", height + 110).With("showlegend", legendItems > 0).With("hovermode", "closest")
            .With("margin", Map(("l", 64), ("r", 24), ("t", 44), ("b", 56)))
            .With("legend", Map(("orientation", "h"), ("x", 0), ("xanchor", "left"), ("y", 1.02), ("yanchor", "bottom"), ("bgcolor", "rgba(0,0,0,0)")));
        return layout;
    }

    public static LinearAxis AxisOf(Axis axis)
    {
        var plotted = new LinearAxis();
        plotted.With("title", Map(("text", Text(axis.Caption)))).With("type", axis.Scale == AxisScale.Logarithmic ? "log" : "linear").With("automargin", true).With("showline", true);
        if (axis.Scale == AxisScale.Logarithmic) plotted.With("exponentformat", "power").With("dtick", 1);
        return plotted;
    }

    /// <summary>Names at 0, 1, 2, …: as categories Plotly would take equal names for one.</summary>
    public static LinearAxis NamesOf(string label, IReadOnlyList<string> names, bool downwards)
    {
        var axis = new LinearAxis();
        axis.With("title", Map(("text", Text(label)), ("standoff", 12))).With("automargin", true).With("tickmode", "array").With("tickvals", Enumerable.Range(0, names.Count).ToArray())
            .With("ticktext", names.Select(name => Text(TextMetrics.ShortenMiddle(name, Rendering.Frame.LabelSize, 220))).ToArray()).With("showgrid", false).With("zeroline", false);
        return downwards ? axis.With("range", new[] { names.Count - 0.5, -0.5 }) : axis.With("range", new[] { -0.5, names.Count - 0.5 });
    }

    public static T With<T>(this T target, string name, object? value) where T : DynamicObj.DynamicObj
    {
        target.SetProperty(name, value);
        return target;
    }
}
