namespace TorchQuant.Interactive.Rendering;

/// <summary>Confusion matrices for terminals: a table whose columns are numbered as its rows are; of many classes only the most frequent mistakes.</summary>
internal static class TextMatrix
{
    private const int MostClasses = 16, MostRows = 24;

    public static string Render(ConfusionMatrix matrix)
    {
        var classes = matrix.Classes;
        if (classes.Count > MostClasses) return List(classes, MatrixPlot.AccuracyOf(matrix), "true class", "taken for", new Column("times"), (row, column) => row == column ? 0 : matrix.Counts[row][column]);
        return new Table("", [.. Heads(classes), new Column("right", "%", "N1")],
            [.. classes.Select((name, i) => (object?[])[$"{i} {name}", .. matrix.Counts[i].Cast<object?>(), double.IsNaN(matrix.Recall(i)) ? null : 100 * matrix.Recall(i)])])
        { Caption = MatrixPlot.AccuracyOf(matrix) }.ToText();
    }

    public static string Render(ConfusionChange change)
    {
        var classes = change.Before.Classes;
        if (classes.Count > MostClasses) return List(classes, MatrixPlot.AccuracyOf(change), "true class", "predicted", new Column("change", Format: Signed), change.Of);
        return new Table("", [.. Heads(classes).Select((column, i) => i == 0 ? column : column with { Format = Signed }), new Column("right", "points", "+0.0;−0.0;0.0")],
            [.. classes.Select((name, i) => (object?[])[$"{i} {name}", .. Enumerable.Range(0, classes.Count).Select(k => (object?)change.Of(i, k)), MatrixPlot.RecallChange(change, i)])])
        { Caption = MatrixPlot.AccuracyOf(change) }.ToText();
    }

    /// <summary>Two characters a number: a minus sign where it is below zero, and a shade.</summary>
    public static string Render(HeatMap map)
    {
        const string shades = " ░▒▓█";
        const int mostRows = 12, mostColumns = 32;
        if (map.Rows > mostRows || map.Columns > mostColumns)
        {
            var smaller = HeatMap.Of(map.Title, map.Rows, map.Columns, map.Values.AsSpan(), mostRows, mostColumns);
            return Render(smaller) + (map.Caption.Length == 0 ? "\n" + smaller.Caption : "");
        }
        var lines = Enumerable.Range(0, map.Rows).Select(row => string.Concat(Enumerable.Range(0, map.Columns).Select(column =>
        {
            var value = map[row, column];
            if (!double.IsFinite(value)) return " ?";
            var shade = map.Largest == 0 ? 0 : (int)Math.Ceiling(Math.Abs(value) / map.Largest * (shades.Length - 1));
            return (value < 0 ? "-" : " ") + shades[shade];
        })).TrimEnd());
        return string.Join('\n', lines.Append(HeatPlot.RangeOf(map)));
    }

    private static string Signed => "+#,0;−#,0;0";

    private static IEnumerable<Column> Heads(IReadOnlyList<string> classes) => classes.Select((_, i) => new Column(NumberText.Fixed(i, 0))).Prepend(new Column("true \\ predicted"));

    private static string List(IReadOnlyList<string> classes, string accuracy, string first, string second, Column number, Func<int, int, long> of)
    {
        var cells = Enumerable.Range(0, classes.Count).SelectMany(row => Enumerable.Range(0, classes.Count).Select(column => (row, column, count: of(row, column))))
            .Where(cell => cell.count != 0).OrderByDescending(cell => Math.Abs(cell.count)).ToList();
        return new Table("", [first, second, number], [.. cells.Take(MostRows).Select(cell => (object?[])[classes[cell.row], classes[cell.column], cell.count])])
        { Caption = (cells.Count > MostRows ? $"The {MostRows} most frequent of {NumberText.Fixed(cells.Count, 0)}. " : "") + accuracy }.ToText();
    }
}
