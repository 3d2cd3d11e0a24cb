using System.CommandLine;
using System.Globalization;
using TorchQuant.Benchmarks.Limits;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Benchmarks.Report;
using TorchSharp;

namespace TorchQuant.Benchmarks.Commands;

/// <summary>The command <c>peers</c>: ours against libtorch and ONNX Runtime in one process, samples in turns.</summary>
internal static class PeersCommand
{
    private const string Everything = "all";

    public static Command Create()
    {
        var groups = new Argument<string[]>("group") { Description = $"{string.Join(", ", Groups.Names)} or {Everything}.", DefaultValueFactory = _ => [Everything] };
        groups.AcceptOnlyFromAmong([.. Groups.Names, Everything]);
        var csv = new Option<string?>("--csv") { Description = $"Writes the results to a CSV file: {CsvFile.Header}." };
        var html = new Option<string?>("--html") { Description = "Writes a page with charts." };
        var filter = new Option<string>("--filter") { Description = "Only shapes whose name contains this, for example '3x3', 'dw', 'N1 ', '1x1024x'.", DefaultValueFactory = _ => "" };
        var settings = new SettingsOptions();
        var command = new Command("peers", "Races ours against libtorch and ONNX Runtime.") { groups, filter, csv, html };
        settings.AddTo(command);
        command.SetAction(result =>
        {
            string[] names = result.GetRequiredValue(groups);
            return Run(names.Contains(Everything) ? [.. Groups.Names] : names, result.GetRequiredValue(filter), settings.Of(result), result.GetValue(csv), result.GetValue(html));
        });
        return command;
    }

    private static int Run(IReadOnlyList<string> groups, string filter, RaceSettings settings, string? csv, string? html)
    {
        NativeAllocator.KeepFreedMemory();
        using var noGrad = torch.no_grad();
        Console.WriteLine(MachineName.Description);
        Machine machine = Machine.Measure(settings.Threads, settings.Quick);
        foreach (string line in machine.Describe())
            Console.WriteLine(line);
        var race = new Race(settings, machine, Console.WriteLine);
        var rows = new List<RaceRow>();
        foreach (Match match in groups.SelectMany(group => Groups.Matches(group, settings.Quick)).Where(match => match.Shape.Contains(filter, StringComparison.Ordinal)))
        {
            foreach (int threads in settings.Threads)
            {
                IReadOnlyList<RaceRow> found = race.Run(match, threads);
                rows.AddRange(found);
                foreach (RaceRow row in found)
                    Console.WriteLine($"{CsvFile.Line(row)}   {row.Agreement}");
                if (csv is not null)
                    CsvFile.Write(csv, machine, rows);
            }
        }

        ConsoleReport.Write(rows);
        if (html is not null)
            HtmlReport.Write(html, rows, machine, HtmlReport.Conditions(settings, race));
        Console.WriteLine($"{race.Samples} samples, {race.DisturbedSamples} of them with the core taken away for a time.");
        if (race.CoreLatencies.Count > 0)
        {
            double[] latencies = [.. race.CoreLatencies.Order().Select(static seconds => seconds * 1e9)];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"A line of the cache took {latencies[latencies.Length / 2]:0} ns from core to core ({latencies[0]:0} to {latencies[^1]:0} over the matches on several threads)."));
        }

        return race.HasFailed ? 1 : 0;
    }
}
