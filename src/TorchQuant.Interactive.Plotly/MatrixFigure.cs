using Plotly.NET;
using TorchQuant.Interactive.Rendering;
using static TorchQuant.Interactive.PlotlyFigure;

namespace TorchQuant.Interactive;

/// <summary>Heat maps and confusion matrices for Plotly: colours from clear to full, so that they are right on any ground.</summary>
internal static class MatrixFigure
{
    public static (IReadOnlyList<Trace> Traces, Layout Layout) Of(HeatMap map)
    {
        var rows = Enumerable.Range(0, map.Rows).Select(row => Numbers(Enumerable.Range(0, map.Columns).Select(column => map[row, column]))).ToArray();
        var trace = Trace("heatmap", ("z", rows), ("zmin", -map.Largest), ("zmax", map.Largest), ("zmid", 0), ("colorscale", Signs(Palette.Negative, Palette.Positive)),
            ("hovertemplate", "row %{y}, column %{x}: %{z:.4g}<extra></extra>"), ("colorbar", Map(("thickness", 12), ("outlinewidth", 0))));
        // Lines would lie over the cells.
        var x = AxisOf(map.ColumnLabel).With("showgrid", false).With("zeroline", false);
        var y = AxisOf(map.RowLabel).With("showgrid", false).With("zeroline", false).With("autorange", "reversed");
        return ([trace], LayoutOf(x, y, Math.Clamp(map.Rows * 12, 60, 400), 0));
    }

    public static (IReadOnlyList<Trace> Traces, Layout Layout) Of(ConfusionMatrix matrix)
    {
        var count = matrix.Classes.Count;
        return Matrix(matrix, matrix.Classes, (row, column) => matrix.Counts[row].Sum() is var total && total == 0 ? 0 : Math.Sqrt((double)matrix.Counts[row][column] / total),
            (row, column) => matrix.Counts[row][column] == 0 ? "" : NumberText.Short(matrix.Counts[row][column]),
            (row, column) => $"{matrix.Classes[row]}, taken for {matrix.Classes[column]}: {NumberText.Short(matrix.Counts[row][column])}",
            0, 1, [new object[] { 0.0, Rgba(matrix.Fill, 0) }, new object[] { 1.0, Rgba(matrix.Fill, 1) }]);
    }

    public static (IReadOnlyList<Trace> Traces, Layout Layout) Of(ConfusionChange change)
    {
        var classes = change.Before.Classes;
        var largest = Enumerable.Range(0, classes.Count).Max(row => Enumerable.Range(0, classes.Count).Max(column => Math.Abs(change.Of(row, column))));
        var (less, more) = change.Before.Fill == change.After.Fill ? (Palette.Float, Palette.Int8) : (change.Before.Fill, change.After.Fill);
        return Matrix(change, classes, (row, column) => largest == 0 ? 0 : Math.Sign(change.Of(row, column)) * Math.Sqrt(Math.Abs((double)change.Of(row, column)) / largest),
            (row, column) => change.Of(row, column) == 0 ? "" : $"{change.Of(row, column):+#;−#}",
            (row, column) => $"{classes[row]}, taken for {classes[column]}: {NumberText.Short(change.Before.Counts[row][column])}, then {NumberText.Short(change.After.Counts[row][column])}",
            -1, 1, Signs(less, more));
    }

    private static object[][] Signs(string negative, string positive) => [[0.0, Rgba(negative, 1)], [0.5, Rgba(negative, 0)], [0.5, Rgba(positive, 0)], [1.0, Rgba(positive, 1)]];

    private static (IReadOnlyList<Trace> Traces, Layout Layout) Matrix(
        Chart chart, IReadOnlyList<string> classes, Func<int, int, double> shade, Func<int, int, string> text, Func<int, int, string> hover, double least, double greatest, object[][] scale)
    {
        T[][] Cells<T>(Func<int, int, T> of) => [.. Enumerable.Range(0, classes.Count).Select(row => Enumerable.Range(0, classes.Count).Select(column => of(row, column)).ToArray())];
        var size = Math.Min(classes.Count * 46, chart.Width - 160);
        var trace = Trace("heatmap", ("z", Cells(shade)), ("text", Cells(text)), ("hovertext", Cells((row, column) => Text(hover(row, column)))), ("hoverinfo", "text"), ("showscale", false),
            ("zmin", least), ("zmax", greatest), ("colorscale", scale), ("xgap", 1), ("ygap", 1));
        if (classes.Count <= 20) trace.With("texttemplate", "%{text}");
        return ([trace], LayoutOf(NamesOf("predicted class", classes, downwards: false), NamesOf("true class", classes, downwards: true), size, 0));
    }
}
