using Microsoft.AspNetCore.Html;
using Microsoft.CodeAnalysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace TorchQuant.Notebooks.Engine;

/// <summary>What every cell can use without asking: the .NET runtime that the host runs on, and the formatting package.</summary>
internal static class HostReferences
{
    // In a namespace of its own, which code cannot name without asking for it.
    private const string HiddenAlias = "torchquant_host";

    private static readonly Lazy<Dictionary<string, MetadataReference>> s_hidden = new(() => Trusted!.Values.Where(path => !Files!.Contains(path))
        .ToDictionary(path => path, path => (MetadataReference)MetadataReference.CreateFromFile(path, new MetadataReferenceProperties(aliases: [HiddenAlias]))));

    private static readonly Lazy<MetadataReference[]> s_all = new(() => [.. Files!.Select(path => MetadataReference.CreateFromFile(path)), .. s_hidden.Value.Values]);

    /// <summary>
    /// What the compiler is given from the first cell on: also, hidden from cells, what the host itself is built from. If such a file came later, with a package that a cell asks for, the compiler would from then on
    /// take the host's types for others than before, and find <c>display</c> twice.
    /// </summary>
    public static IReadOnlyList<MetadataReference> All => s_all.Value;

    /// <summary>A file of the host for cells to see, because they have asked for it; null when it is none of the host's hidden ones.</summary>
    public static MetadataReference? Shown(string path) => s_hidden.Value.TryGetValue(path, out var hidden) ? hidden.WithAliases([MetadataReferenceProperties.GlobalAlias]) : null;

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

    /// <summary>The files that cells see.</summary>
    public static IReadOnlySet<string> Files { get; } = FindFiles();

    private static HashSet<string> FindFiles()
    {
        // The host's private dependencies (compiler, terminal, markdown) stay out: a cell that wants one of them asks for its package. Values of FSharp.Core's types come to C# from F# cells.
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location);
        return [.. Trusted.Values.Where(path => Path.GetDirectoryName(path) == runtime), .. Own, typeof(Microsoft.FSharp.Core.Unit).Assembly.Location];
    }
}
