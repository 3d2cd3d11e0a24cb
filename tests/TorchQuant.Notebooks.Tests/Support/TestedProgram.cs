using System.Diagnostics;

namespace TorchQuant.Notebooks.Tests.Support;

/// <summary>The program under test, as a process.</summary>
internal static class TestedProgram
{
    /// <summary>What starts it.</summary>
    /// <param name="arguments">Its arguments.</param>
    public static ProcessStartInfo With(params IEnumerable<string> arguments)
    {
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "TorchQuant.Notebooks.dll"), .. arguments];
        // What a shell starts in the background ignores SIGINT, and so does all that it starts: tests that send it would wait for ever.
        if (OperatingSystem.IsLinux()) command = ["env", "--default-signal=INT", .. command];
        return new ProcessStartInfo(command[0], command[1..]);
    }
}
