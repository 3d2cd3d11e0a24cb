using System.Globalization;
using Spectre.Console;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Report;

/// <summary>The results in the terminal: a table for each group, the geometric means, and what misses its target.</summary>
internal static class ConsoleReport
{
    private const int RedirectedWidth = 180;

    public static void Write(IReadOnlyList<RaceRow> rows)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = RedirectedWidth;
        IReadOnlyList<ShapeResult> results = ShapeResult.Of(rows);
        foreach (IGrouping<string, ShapeResult> group in results.GroupBy(r => r.Ours.Group))
            AnsiConsole.Write(Shapes(group.Key, [.. group]));
        AnsiConsole.Write(Means(results));
        foreach (Target target in Target.All)
        {
            string[] misses = [.. target.Misses(results)];
            if (results.Any(target.Applies))
                Console.WriteLine($"Target: {target.Name}: {(misses.Length == 0 ? "reached" : $"missed {misses.Length} times")}");
            foreach (string miss in misses)
                Console.WriteLine($"    {miss}");
        }
    }

    private static Table Shapes(string group, IReadOnlyList<ShapeResult> results)
    {
        Table table = Table(group, "shape", "threads", "ours us", "GOPS", "of limit", "best int8 peer", "us", "ratio", "best float peer", "us", "ratio");
        foreach (ShapeResult r in results)
        {
            table.AddRow(
                r.Ours.Shape, r.Ours.Threads.ToString(CultureInfo.InvariantCulture), Number(1e6 * r.Ours.MedianSeconds, "0.0"), Number(r.Ours.Gops, "0"), Number(r.Ours.FractionOfLimit, "0.00"),
                Short(r.BestInt8), Number(1e6 * r.BestInt8?.MedianSeconds, "0.0"), Number(r.Ratio, "0.00"),
                Short(r.BestFloat), Number(1e6 * r.BestFloat?.MedianSeconds, "0.0"), Number(r.FloatRatio, "0.00"));
        }

        return table;
    }

    private static Table Means(IReadOnlyList<ShapeResult> results)
    {
        Table table = Table("geometric means of the ratios (peer / ours)", "group", "threads", "shapes", "int8", "smallest", "float");
        foreach (var group in results.GroupBy(r => (r.Ours.Group, r.Ours.Threads)))
        {
            double[] ratios = [.. group.Where(r => r.Ratio is not null).Select(r => r.Ratio!.Value)], floats = [.. group.Where(r => r.FloatRatio is not null).Select(r => r.FloatRatio!.Value)];
            table.AddRow(
                group.Key.Group, group.Key.Threads.ToString(CultureInfo.InvariantCulture), group.Count().ToString(CultureInfo.InvariantCulture),
                ratios.Length == 0 ? "" : Number(Statistics.GeometricMean(ratios), "0.00"), ratios.Length == 0 ? "" : Number(ratios.Min(), "0.00"), floats.Length == 0 ? "" : Number(Statistics.GeometricMean(floats), "0.00"));
        }

        return table;
    }

    private static Table Table(string title, params string[] columns)
    {
        Table table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(title));
        foreach (string column in columns)
            table.AddColumn(column.Contains("shape", StringComparison.Ordinal) || column.Contains("peer", StringComparison.Ordinal) || column == "group" ? new TableColumn(column).NoWrap() : new TableColumn(column).RightAligned().NoWrap());
        return table;
    }

    private static string Short(RaceRow? row) => row is null ? "" : row.Implementation.Replace("onnxruntime", "ORT", StringComparison.Ordinal).Replace("libtorch", "torch", StringComparison.Ordinal);

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
