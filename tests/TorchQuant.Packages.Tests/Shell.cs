using System.Diagnostics;
using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>Runs a command as a user would, and fails with all that it printed when it ends with another code than 0.</summary>
internal static class Shell
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>Deletes what file-based apps of a folder were built into: each holds libtorch for two systems, 2 GB.</summary>
    public static void DropBuilds(string folder) => Directory.Delete(Data(folder), recursive: true);

    public static string Run(string folder, string command, IReadOnlyList<string> arguments, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var (code, output) = TryRun(folder, command, arguments, environment);
        Assert.True(code == 0, $"{command} {string.Join(' ', arguments)} ended with {code}:\n{output}");
        return output;
    }

    public static (int Code, string Output) TryRun(
        string folder, string command, IReadOnlyList<string> arguments, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // a build node left over would outlive the test
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        if (folder != ReadmeExample.Root) start.Environment["XDG_DATA_HOME"] = Directory.CreateDirectory(Data(folder)).FullName; // where dotnet builds file-based apps: not in the user's home, for ever
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{command} {string.Join(' ', arguments)} did not end within {s_limit.TotalMinutes} minutes.");
        }
        return (process.ExitCode, output.Result + error.Result);
    }

    private static string Data(string folder) => Path.Combine(folder, ".data");
}
