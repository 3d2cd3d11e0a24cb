using System.Globalization;
using TorchQuant.Packages.Tests;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// Packed once for all; one test at a time, each keeps the machine busy.
[assembly: AssemblyFixture(typeof(PackedFeed))]
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace TorchQuant.Packages.Tests;

/// <summary>
/// The packages of this checkout in a folder of their own, under a version that no NuGet cache can hold yet, and what the tests made
/// with them: all of it is deleted at the end.
/// </summary>
public sealed class PackedFeed : IDisposable
{
    private static readonly string[] s_projects = ["TorchQuant.Kernels", "TorchQuant", "TorchQuant.Interactive", "TorchQuant.Interactive.Plotly", "TorchQuant.Notebooks"];

    public PackedFeed()
    {
        Root = Directory.CreateTempSubdirectory("torchquant-packages-").FullName;
        Version = "0.1.0-test" + DateTime.UtcNow.Ticks.ToString(CultureInfo.InvariantCulture);
        foreach (var project in s_projects)
            // An artifacts folder of its own: other tests and builds of this checkout stay undisturbed.
            Shell.Run(ReadmeExample.Root, "dotnet", ["pack", Path.Combine("src", project), "-c", "Release", "--artifacts-path", Path.Combine(Root, "artifacts"),
                "-o", Path.Combine(Root, "feed"), $"-p:Version={Version}", "--disable-build-servers"]);
        File.WriteAllText(Path.Combine(Root, "nuget.config"),
            """<configuration><packageSources><add key="feed" value="feed" /></packageSources></configuration>""");
    }

    public string Root { get; }

    public string Version { get; }

    public static IReadOnlyList<string> Projects => s_projects;

    /// <summary>The file of a package, or of its symbols.</summary>
    public string Package(string project, string extension = "nupkg") => Path.Combine(Root, "feed", $"{project}.{Version}.{extension}");

    /// <summary>Installs a .NET tool below the feed's nuget.config, once.</summary>
    /// <returns>Its program.</returns>
    public string Tool(string package, string version, string command)
    {
        var tools = Path.Combine(Root, "tools");
        var program = Path.Combine(tools, command);
        if (!File.Exists(program)) Shell.Run(Root, "dotnet", ["tool", "install", package, "--version", version, "--tool-path", tools]);
        return program;
    }

    /// <summary>A new folder below the feed's nuget.config, holding <paramref name="files"/>.</summary>
    public string Folder(string name, params ReadOnlySpan<(string Name, string Text)> files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
        foreach (var (file, text) in files) File.WriteAllText(Path.Combine(folder, file), text);
        return folder;
    }

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var project in s_projects)
        {
            var installed = Path.Combine(cache, project.ToLowerInvariant(), Version);
            if (Directory.Exists(installed)) Directory.Delete(installed, recursive: true);
        }
    }
}
