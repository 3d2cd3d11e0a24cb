using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Run;

/// <summary>The command <c>run</c>: executes notebooks without a front end.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var files = new Argument<string[]>("notebook") { Arity = ArgumentArity.OneOrMore, Description = "The .ipynb and .dib files to run." };
        var output = new Option<string?>("--out")
        {
            Description = "The folder for the executed notebook, the page and what the notebook writes. Default: out/<name of the notebook>. With several notebooks each gets a folder in it.",
        };
        var parameters = new Option<string[]>("--param")
        {
            Description = "name=value: sets a variable of the cell tagged 'parameters'. May be repeated.",
            DefaultValueFactory = _ => [],
        };
        var timeout = new Option<double?>("--timeout") { Description = "Stops a notebook after this many seconds." };
        var command = new Command("run", "Runs notebooks and writes them executed, as .ipynb and as self-contained .html.") { files, output, parameters, timeout };
        command.SetAction((result, _) => RunAsync(
            result.GetRequiredValue(files), result.GetValue(output), result.GetRequiredValue(parameters), result.GetValue(timeout), result.InvocationConfiguration.Error));
        return command;
    }

    private static async Task<int> RunAsync(string[] notebooks, string? output, string[] parameters, double? timeout, TextWriter errors)
    {
        int Refuse(string message)
        {
            errors.WriteLine(message);
            return ExitCodes.Usage;
        }
        if (timeout is <= 0) return Refuse($"--timeout {timeout}: expected a number of seconds above 0.");
        using var interrupt = new CancellationTokenSource();
        // The first signal stops the notebook and writes what there is; the second one, while that goes on, ends the process.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !interrupt.IsCancellationRequested;
            interrupt.Cancel();
        }
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            // Known before the first runs: results of one would lie over those of another.
            if (notebooks.GroupBy(Path.GetFileNameWithoutExtension).FirstOrDefault(same => same.Count() > 1) is { } same)
                return Refuse($"{string.Join(" and ", same)} would write into the same folder. Run them apart, with an --out of their own.");
            if (notebooks.Length > 1) return await RunEachAsync(notebooks, output, parameters, timeout, interrupt.Token).ConfigureAwait(false);
            var settings = Settings(notebooks[0], output, parameters, timeout);
            return await new NotebookRun(settings, TerminalReport.ForConsole()).RunAsync(interrupt.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NotebookFormatException or ParameterException or OutputFolderException)
        {
            return Refuse(e.Message);
        }
    }

    private static RunSettings Settings(string notebook, string? output, string[] parameters, double? timeout)
    {
        var path = Path.GetFullPath(notebook);
        if (!File.Exists(path)) throw new NotebookFormatException($"There is no file {path}.");
        var folder = Path.GetFullPath(output ?? Path.Combine("out", Path.GetFileNameWithoutExtension(path)));
        if (folder == Path.GetDirectoryName(path))
            throw new NotebookFormatException($"--out {folder} is the notebook's own folder, so the executed notebook would overwrite it. Name another folder.");
        return new RunSettings(path, folder, new NotebookParameters(parameters), timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
    }

    // Every notebook in a process of its own: formatters, loaded packages, torch's state and a cell that never ends stay apart.
    private static async Task<int> RunEachAsync(string[] notebooks, string? output, string[] parameters, double? timeout, CancellationToken interrupt)
    {
        var (worst, failed) = (ExitCodes.Success, new List<string>());
        foreach (var notebook in notebooks)
        {
            if (interrupt.IsCancellationRequested) return ExitCodes.Interrupted;
            Console.WriteLine($"== {notebook}");
            List<string> arguments = ["run", notebook];
            if (output is not null) arguments.AddRange(["--out", Path.Combine(output, Path.GetFileNameWithoutExtension(notebook))]);
            foreach (var parameter in parameters) arguments.AddRange(["--param", parameter]);
            if (timeout is { } seconds) arguments.AddRange(["--timeout", seconds.ToString(CultureInfo.InvariantCulture)]);
            var exitCode = await RunSelfAsync(arguments, interrupt).ConfigureAwait(false);
            if (exitCode == ExitCodes.Success) continue;
            worst = Math.Max(worst, exitCode);
            failed.Add(notebook);
        }
        Console.WriteLine(failed.Count == 0 ? $"All {notebooks.Length} notebooks succeeded." : $"{failed.Count} of {notebooks.Length} notebooks failed: {string.Join(", ", failed)}.");
        return worst;
    }

    private static async Task<int> RunSelfAsync(List<string> arguments, CancellationToken interrupt)
    {
        // Started by its own executable or as `dotnet TorchQuant.Notebooks.dll`. It shares the terminal, so Ctrl+C reaches it too.
        var program = Environment.ProcessPath!;
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") arguments.Insert(0, typeof(RunCommand).Assembly.Location);
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        try
        {
            await process.WaitForExitAsync(interrupt).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Time to write what there is; a signal that was meant for this process alone did not reach the child.
            if (!process.WaitForExit(s_grace)) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        return process.ExitCode;
    }
}
