using System.Globalization;
using TorchQuant.Benchmarks.Limits;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Report;

/// <summary>The results as a CSV file, one line for each implementation on each shape.</summary>
internal static class CsvFile
{
    public const string Header = "group,shape,threads,implementation,median_us,gops,fraction_of_limit";

    /// <summary>Writes the file anew. The first lines, group "limit", are what the machine can do at most; those on reading have GB/s in the place of GOPS.</summary>
    public static void Write(string path, Machine machine, IEnumerable<RaceRow> rows)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        File.WriteAllLines(path, [Header, .. LimitLines(machine), .. rows.Select(Line)]);
    }

    public static string Line(RaceRow row) => string.Create(
        CultureInfo.InvariantCulture, $"{row.Group},{row.Shape},{row.Threads},{row.Implementation},{1e6 * row.MedianSeconds:0.###},{row.Gops:0.##},{row.FractionOfLimit:0.####}");

    private static IEnumerable<string> LimitLines(Machine machine)
    {
        foreach ((int threads, double operations) in machine.OperationsPerSecond)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"limit,{PeakOperations.Instruction.Replace(",", "", StringComparison.Ordinal)},{threads},machine,0,{operations / 1e9:0.##},1");
            foreach ((double bytes, double perSecond) in machine.BytesPerSecond[threads])
                yield return string.Create(CultureInfo.InvariantCulture, $"limit,read {Machine.Size(bytes)},{threads},machine,0,{perSecond / 1e9:0.##},1");
        }
    }
}
