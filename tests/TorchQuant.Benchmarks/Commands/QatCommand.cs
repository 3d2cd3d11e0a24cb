using System.CommandLine;
using System.Globalization;
using TorchQuant.Benchmarks.Limits;
using TorchQuant.Benchmarks.Qat;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Benchmarks.Report;

namespace TorchQuant.Benchmarks.Commands;

/// <summary>The command <c>qat</c>: a step of quantization-aware training against a step in float.</summary>
internal static class QatCommand
{
    public static Command Create()
    {
        var csv = new Option<string?>("--csv") { Description = "Writes the results to a CSV file." };
        var settings = new SettingsOptions(rounds: 15, sampleMilliseconds: 1);
        var command = new Command("qat", "Times a step of quantization-aware training against one in float, in turns.") { csv };
        settings.AddTo(command);
        command.SetAction(result => Run(settings.Of(result), result.GetValue(csv)));
        return command;
    }

    private static int Run(RaceSettings settings, string? csv)
    {
        NativeAllocator.KeepFreedMemory();
        Console.WriteLine(MachineName.Description);
        Machine machine = Machine.Measure(settings.Threads, settings.Quick);
        var race = new Race(settings, machine, Console.WriteLine);
        var rows = new List<RaceRow>();
        foreach (Match match in QatMatches.All(settings.Quick))
        {
            foreach (int threads in settings.Threads)
                rows.AddRange(race.Run(match, threads));
        }

        foreach (ShapeResult r in ShapeResult.Of(rows).Where(r => r.BestFloat is not null))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{r.Ours.Shape}, {r.Ours.Threads} thread(s): qat {1e3 * r.Ours.MedianSeconds:0.0} ms ({r.Ours.Agreement}), "
                + $"float {1e3 * r.BestFloat!.MedianSeconds:0.0} ms ({r.BestFloat.Agreement}), qat / float {1 / r.FloatRatio:0.00}"));
        }

        if (csv is not null)
            CsvFile.Write(csv, machine, rows);
        return race.HasFailed ? 1 : 0;
    }
}
