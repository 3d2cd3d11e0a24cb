using System.Globalization;

namespace TorchQuant.Interactive.Rendering;

/// <summary>Lays out a <see cref="ConfusionMatrix"/> and a <see cref="ConfusionChange"/>: cells with numbers where they fit, names at the left and below, a number at each row's end.</summary>
internal static class MatrixPlot
{
    private const double LargestCell = 46, LongestName = 120, End = 62;

    private sealed record Cell(Paint Fill, string Text, string Tooltip);

    public static Scene Draw(ConfusionMatrix matrix)
    {
        var frame = new Frame(matrix);
        var cells = new Cell[matrix.Classes.Count, matrix.Classes.Count];
        for (var i = 0; i < matrix.Classes.Count; i++)
        {
            var total = matrix.Counts[i].Sum();
            for (var k = 0; k < matrix.Classes.Count; k++)
            {
                var count = matrix.Counts[i][k];
                var share = total == 0 ? 0 : (double)count / total;
                cells[i, k] = new Cell(new Paint(matrix.Fill, Math.Sqrt(share)), count == 0 ? "" : NumberText.Short(count),
                    $"{matrix.Classes[i]}, taken for {matrix.Classes[k]}: {NumberText.Short(count)} ({Percent(share)})");
            }
        }
        Draw(frame, matrix.Classes, cells, "right", [.. Enumerable.Range(0, matrix.Classes.Count).Select(i => Percent(matrix.Recall(i)))]);
        return frame.Finish(Describe(matrix), AccuracyOf(matrix));
    }

    public static Scene Draw(ConfusionChange change)
    {
        var (before, after) = (change.Before, change.After);
        var frame = new Frame(change);
        // The same title and colour twice would say nothing.
        var (less, more) = before.Fill == after.Fill ? (Palette.Float, Palette.Int8) : (before.Fill, after.Fill);
        frame.Legend([new LegendItem($"− more with {before.Title}", new Paint(less), Swatch.Box), new LegendItem($"+ more with {after.Title}", new Paint(more), Swatch.Box)]);
        var classes = before.Classes;
        var cells = new Cell[classes.Count, classes.Count];
        var largest = Enumerable.Range(0, classes.Count).Max(i => Enumerable.Range(0, classes.Count).Max(k => Math.Abs(change.Of(i, k))));
        for (var i = 0; i < classes.Count; i++)
        {
            for (var k = 0; k < classes.Count; k++)
            {
                var difference = change.Of(i, k);
                cells[i, k] = new Cell(new Paint(difference < 0 ? less : more, largest == 0 ? 0 : Math.Sqrt((double)Math.Abs(difference) / largest)), difference == 0 ? "" : Signed(difference),
                    $"{classes[i]}, taken for {classes[k]}: {NumberText.Short(before.Counts[i][k])}, then {NumberText.Short(after.Counts[i][k])}");
            }
        }
        Draw(frame, classes, cells, "right", [.. Enumerable.Range(0, classes.Count).Select(i => RecallChange(change, i) is { } points ? SignedPoints(points, 1) : "")]);
        return frame.Finish(Describe(change), AccuracyOf(change));
    }

    public static string AccuracyOf(ConfusionMatrix matrix) => matrix.Total == 0 ? "No predictions." : $"{Percent(matrix.Accuracy, 2)} of {NumberText.Fixed(matrix.Total, 0)} are right.";

    public static string AccuracyOf(ConfusionChange change)
    {
        if (change.Before.Total == 0 || change.After.Total == 0) return "No predictions to compare.";
        var points = 100 * (change.After.Accuracy - change.Before.Accuracy);
        return $"Right: {Percent(change.Before.Accuracy, 2)} with {change.Before.Title}, {Percent(change.After.Accuracy, 2)} with {change.After.Title} ({SignedPoints(points, 2)} points).";
    }

    /// <summary>By how many percentage points more (or fewer) of a class are right; null when one matrix has none of it.</summary>
    public static double? RecallChange(ConfusionChange change, int index) => 100 * (change.After.Recall(index) - change.Before.Recall(index)) is var points && double.IsFinite(points) ? points : null;

    private static void Draw(Frame frame, IReadOnlyList<string> classes, Cell[,] cells, string endName, IReadOnlyList<string> ends)
    {
        var count = classes.Count;
        var longest = Math.Min(LongestName, frame.Width * 0.3);
        var rowNames = CategoryNames.Shortened(classes, Frame.LabelSize, _ => longest);
        var left = Frame.Margin + rowNames.Max(name => TextMetrics.Width(name, Frame.LabelSize)) + 8;
        var size = Math.Min(LargestCell, (frame.Width - left - End - Frame.Margin) / count);
        frame.AxisName("true class");
        double top = frame.Y + 4, right = left + size * count;
        frame.Marks.Add(new TextMark(right + 8, frame.Y - 4, endName, Frame.LabelSize, Paint.Muted));
        // In small cells the grid would be all that is seen.
        if (size >= 12)
        {
            for (var i = 0; i <= count; i++)
            {
                frame.Marks.Add(PathMark.Line(left, top + size * i, right, top + size * i, Paint.GridLine));
                frame.Marks.Add(PathMark.Line(left + size * i, top, left + size * i, top + size * count, Paint.GridLine));
            }
        }
        else
        {
            frame.Marks.Add(new PathMark([(left, top), (right, top), (right, top + size * count), (left, top + size * count), (left, top)], Paint.AxisLine, 1));
        }
        DrawCells(frame, cells, left, top, size);
        var every = Math.Max(1, (int)Math.Ceiling(14 / size));
        for (var i = 0; i < count; i += every)
        {
            var y = top + size * (i + 0.5) + 4;
            frame.Marks.Add(new TextMark(left - 8, y, rowNames[i], Frame.LabelSize, Paint.Text, Anchor.End, Tooltip: rowNames[i] == classes[i] ? "" : classes[i]));
            frame.Marks.Add(new TextMark(right + 8, y, ends[i], BarPlot.ValueSize, Paint.Muted));
        }
        frame.Y = top + size * count + DrawColumnNames(frame, classes, left, top + size * count, size);
        frame.AxisNameBelow("predicted class", left, right);
    }

    private static void DrawCells(Frame frame, Cell[,] cells, double left, double top, double size)
    {
        var numbers = size < 24 ? 10 : BarPlot.ValueSize;
        for (var i = 0; i < cells.GetLength(0); i++)
        {
            for (var k = 0; k < cells.GetLength(1); k++)
            {
                var cell = cells[i, k];
                double x = left + size * k, y = top + size * i, air = size >= 12 ? 1 : 0;
                // Empty cells are not drawn: a hundred classes have ten thousand.
                if (cell.Text.Length == 0) continue;
                frame.Marks.Add(new RectMark(x + air, y + air, size - 2 * air, size - 2 * air, cell.Fill with { Opacity = Math.Max(0.06, cell.Fill.Opacity) }, cell.Tooltip));
                if (size >= 16 && TextMetrics.Width(cell.Text, numbers) <= size - 2)
                    frame.Marks.Add(new TextMark(x + size / 2, y + size / 2 + 4, cell.Text, numbers, BarPaint.InkOn(cell.Fill), Anchor.Middle));
            }
        }
    }

    // Returns the height that the names take.
    private static double DrawColumnNames(Frame frame, IReadOnlyList<string> classes, double left, double top, double size)
    {
        if (classes.All(name => TextMetrics.Width(name, Frame.LabelSize) <= size - 4))
        {
            for (var k = 0; k < classes.Count; k++) frame.Marks.Add(new TextMark(left + size * (k + 0.5), top + 16, classes[k], Frame.LabelSize, Paint.Text, Anchor.Middle));
            return 20;
        }
        // Slanted lines do not touch when their ends are 17 pixels apart.
        var every = Math.Max(1, (int)Math.Ceiling(17 / size));
        var names = CategoryNames.Shortened(classes, Frame.LabelSize, k => Math.Min(LongestName, (left + size * (k + 0.5) - 10) / TextMark.Cosine));
        double height = 0;
        for (var k = 0; k < classes.Count; k += every)
        {
            frame.Marks.Add(new TextMark(left + size * (k + 0.5) + 4, top + 14, names[k], Frame.LabelSize, Paint.Text, Slanted: true, Tooltip: names[k] == classes[k] ? "" : classes[k]));
            height = Math.Max(height, TextMetrics.Width(names[k], Frame.LabelSize) * TextMark.Sine);
        }
        return 24 + height;
    }

    private static string Percent(double share, int decimals = 1) => double.IsNaN(share) ? "" : NumberText.Fixed(100 * share, decimals) + "\u00a0%";

    private static string Signed(long number) => (number > 0 ? "+" : "") + NumberText.Short(number);

    private static string SignedPoints(double points, int decimals) => points.ToString(decimals == 1 ? "+0.0;−0.0;0.0" : "+0.00;−0.00;0.00", CultureInfo.InvariantCulture);

    private static string Describe(ConfusionMatrix matrix) => string.Join(' ', matrix.Classes.Select((name, i) => $"{name}: {Percent(matrix.Recall(i))} right{Mistakes(matrix, i)}."));

    // The most frequent mistake.
    private static string Mistakes(ConfusionMatrix matrix, int row)
    {
        var (count, column) = matrix.Counts[row].Select((count, k) => (count, k)).Where(cell => cell.k != row).OrderByDescending(cell => cell.count).FirstOrDefault();
        return count == 0 ? "" : $", {NumberText.Short(count)} taken for {matrix.Classes[column]}";
    }

    private static string Describe(ConfusionChange change) => string.Join(' ', change.Before.Classes.Select((name, i) =>
        RecallChange(change, i) is { } points ? $"{name}: {SignedPoints(points, 1)} points right." : $"{name}: none."));
}
