using System.Collections;
using System.Diagnostics;
using System.Text;

namespace TorchQuant.Notebooks.Packages;

/// <summary>Runs the <c>dotnet</c> command and keeps what it says.</summary>
internal static class DotnetTool
{
    /// <returns>The exit code and the two streams' text.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; the process and its children were ended.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(string folder, IEnumerable<string> arguments, CancellationToken stop)
    {
        var start = new ProcessStartInfo(Executable(), arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Settings that a surrounding `dotnet run` or `dotnet test` made for its own build would lead this one astray.
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => (string)e.Key))
            if (name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)) start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // no build servers are left behind

        using var process = new Process { StartInfo = start };
        var said = new StringBuilder();
        DataReceivedEventHandler keep = (_, line) =>
        {
            if (line.Data is null) return;
            lock (said) said.AppendLine(line.Data);
        };
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        lock (said) return (process.ExitCode, said.ToString());
    }

    /// <summary>The errors in a build's output, without repetitions and without the project's path; all of the output when there are none.</summary>
    public static string Errors(string output)
    {
        var errors = output.Split('\n')
            .Where(line => line.Contains("error ", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf("error ", StringComparison.Ordinal)..].Trim())
            .Select(line => line.LastIndexOf(" [", StringComparison.Ordinal) is var end and > 0 ? line[..end] : line)
            .Distinct()
            .ToArray();
        return errors.Length > 0 ? string.Join('\n', errors) : output.Trim();
    }

    private static string Executable() =>
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath!
        : "dotnet";
}
