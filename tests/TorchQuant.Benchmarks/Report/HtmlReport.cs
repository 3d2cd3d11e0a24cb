using System.Globalization;
using TorchQuant.Benchmarks.Limits;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Interactive;

namespace TorchQuant.Benchmarks.Report;

/// <summary>The results as a page: what the machine can do, means, rooflines, the ratio of every shape, and the targets.</summary>
internal static class HtmlReport
{
    public static void Write(string path, IReadOnlyList<RaceRow> rows, Machine machine, string conditions)
    {
        IReadOnlyList<ShapeResult> results = ShapeResult.Of(rows);
        var visuals = new List<Visual> { Limits(machine), Means(results) };
        visuals.AddRange(rows.Select(row => row.Threads).Distinct().Select(threads => (Visual?)RooflineChart.Of(results, machine, threads)).OfType<Visual>());
        visuals.AddRange(RatioCharts.Of(results));
        visuals.Add(Targets(results));
        HtmlPage.Write(path, "TorchQuant against its peers", visuals, conditions);
    }

    private static Table Limits(Machine machine) => new(
        "What this machine can do, measured in the same run",
        ["threads", "int8 peak [GOPS]", .. machine.BytesPerSecond.First().Value.Select(point => new Column($"reads {Machine.Size(point.Bytes)}", "GB/s", "N0"))],
        [.. machine.OperationsPerSecond.Keys.Select(threads => (IReadOnlyList<object?>)[threads, Math.Round(machine.OperationsPerSecond[threads] / 1e9), .. machine.BytesPerSecond[threads].Select(point => (object?)(point.PerSecond / 1e9))])]);

    private static Table Means(IReadOnlyList<ShapeResult> results) => new(
        "Geometric means of the ratios (time of the best peer / time of ours)",
        ["group", "threads", "shapes", new Column("best int8 peer", "", "N2"), new Column("smallest", "", "N2"), new Column("best float peer", "", "N2")],
        [
            .. results.GroupBy(r => (r.Ours.Group, r.Ours.Threads)).Select(group => (IReadOnlyList<object?>)
            [
                group.Key.Group, group.Key.Threads, group.Count(), Mean(group.Select(r => r.Ratio)), group.Min(r => r.Ratio), Mean(group.Select(r => r.FloatRatio)),
            ]),
        ]);

    private static Table Targets(IReadOnlyList<ShapeResult> results) => new(
        "Targets",
        ["target", "what misses it"],
        [.. Target.All.Where(target => results.Any(target.Applies)).SelectMany(target => target.Misses(results).DefaultIfEmpty("nothing").Select(miss => (IReadOnlyList<object?>)[target.Name, miss]))]);

    private static double? Mean(IEnumerable<double?> ratios)
    {
        double[] known = [.. ratios.OfType<double>()];
        return known.Length == 0 ? null : Statistics.GeometricMean(known);
    }

    /// <summary>What a reader has to know to judge the numbers.</summary>
    public static string Conditions(RaceSettings settings, Race race) => string.Create(
        CultureInfo.InvariantCulture,
        $"{MachineName.Description}. Medians of {settings.Rounds} to {settings.MostRounds} samples, more where they disagree, of about {1e3 * settings.SampleSeconds:0.#} ms (ten times as long on several threads), all implementations in turns in one process; {race.DisturbedSamples} of {race.Samples} samples were disturbed by other programs. The limit is the larger of operations / peak and bytes / bandwidth.");
}
