using Microsoft.AspNetCore.Html;
using Microsoft.CodeAnalysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace TorchQuant.Notebooks.Engine;

/// <summary>What every cell can use without asking: the .NET runtime that the host runs on, and the formatting package.</summary>
internal static class HostReferences
{
    private static readonly Lazy<MetadataReference[]> s_all = new(Load);

    public static IReadOnlyList<MetadataReference> All => s_all.Value;

    /// <summary>
    /// Assemblies that the process finds by itself, by simple name. They win over a package's file of the same name, because the runtime
    /// asks its own list first; so the compiler must see the same file.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Trusted { get; } =
        ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .DistinctBy(Path.GetFileNameWithoutExtension, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => path, StringComparer.OrdinalIgnoreCase);

    /// <summary>What of <see cref="Files"/> is not the runtime's.</summary>
    public static IReadOnlyList<string> Own { get; } = [typeof(HostReferences).Assembly.Location, typeof(Formatter).Assembly.Location, typeof(IHtmlContent).Assembly.Location];

    /// <summary>The files of <see cref="All"/>.</summary>
    public static IReadOnlySet<string> Files { get; } = FindFiles();

    private static MetadataReference[] Load() => [.. Files.Select(path => MetadataReference.CreateFromFile(path))];

    private static HashSet<string> FindFiles()
    {
        // The host's private dependencies (compiler, terminal, markdown) stay out: a cell that wants one of them asks for its package. FSharp.Core is no such: values come to C# from F# cells, and if it came with
        // the first of them, the compiler would from then on take this host for another one than before, and find `display` twice.
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location);
        return [.. Trusted.Values.Where(path => Path.GetDirectoryName(path) == runtime), .. Own, typeof(Microsoft.FSharp.Core.Unit).Assembly.Location];
    }
}
