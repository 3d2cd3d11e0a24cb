using System.Globalization;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Report;

/// <summary>The results as a CSV file, one line for each implementation on each shape.</summary>
internal static class CsvFile
{
    public const string Header = "group,shape,threads,implementation,median_us,gops,fraction_of_limit";

    public static void Write(string path, IEnumerable<RaceRow> rows)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        File.WriteAllLines(path, rows.Select(Line).Prepend(Header));
    }

    public static string Line(RaceRow row) => string.Create(
        CultureInfo.InvariantCulture, $"{row.Group},{row.Shape},{row.Threads},{row.Implementation},{1e6 * row.MedianSeconds:0.###},{row.Gops:0.##},{row.FractionOfLimit:0.####}");
}
