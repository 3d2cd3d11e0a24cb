using System.CommandLine;
using TorchQuant.Benchmarks.Limits;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Benchmarks.Report;
using TorchQuant.Benchmarks.Scaling;
using TorchSharp;

namespace TorchQuant.Benchmarks.Commands;

/// <summary>The command <c>scaling</c>: how time grows with the shape, and shrinks with a second thread.</summary>
internal static class ScalingCommand
{
    public static Command Create()
    {
        var csv = new Option<string?>("--csv") { Description = "Writes the results to a CSV file." };
        var html = new Option<string?>("--html") { Description = "Writes a page with charts." };
        var settings = new SettingsOptions();
        var command = new Command("scaling", "Times shapes that differ in one number, on one thread and on several: slopes, and speed-up by threads; and what modules cost over their kernels.") { csv, html };
        settings.AddTo(command);
        command.SetAction(result => Run(settings.Of(result), result.GetValue(csv), result.GetValue(html)));
        return command;
    }

    private static int Run(RaceSettings settings, string? csv, string? html)
    {
        NativeAllocator.KeepFreedMemory();
        using var noGrad = torch.no_grad();
        Console.WriteLine(MachineName.Description);
        Machine machine = Machine.Measure(settings.Threads, settings.Quick);
        var race = new Race(settings, machine, Console.WriteLine);
        var results = new List<SweepResult>();
        foreach (Sweep sweep in Sweeps.All(settings.Quick))
        {
            results.Add(new SweepResult(sweep, [.. sweep.Points.SelectMany(point => settings.Threads.SelectMany(threads => race.Run(point.Match, threads).Select(row => (point.Value, row))))]));
            foreach (string line in results[^1].Describe())
                Console.WriteLine(line);
        }

        foreach (string line in ModuleOverhead.Describe())
            Console.WriteLine(line);
        if (csv is not null)
            CsvFile.Write(csv, machine, results.SelectMany(r => r.Points).Select(p => p.Row));
        if (html is not null)
            HtmlPage.Write(html, "How TorchQuant scales", results.SelectMany(r => r.Charts()), HtmlReport.Conditions(settings, race));
        return race.HasFailed ? 1 : 0;
    }
}
