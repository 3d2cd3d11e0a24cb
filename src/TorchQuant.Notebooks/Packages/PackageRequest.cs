using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Packages;

/// <summary>A package that a cell asks for. <paramref name="Version"/> is in NuGet's notation; null = the newest stable one.</summary>
internal sealed partial record PackageRequest(string Id, string? Version)
{
    /// <summary>Reads what stands after <c>nuget:</c>, for example <c>TorchSharp-cpu, 0.107.0</c>.</summary>
    /// <exception cref="CellException">It is not an id, or an id and a version.</exception>
    public static PackageRequest Parse(string text, int line)
    {
        var parts = text.Split(',', 2, StringSplitOptions.TrimEntries);
        var version = parts.Length == 2 && parts[1].Length > 0 ? parts[1] : null;
        if (Id_().IsMatch(parts[0]) && (version is null || Version_().IsMatch(version))) return new PackageRequest(parts[0], version);
        throw new CellException($"#r \"nuget:{text}\" is not a package. Write #r \"nuget: Id, 1.2.3\", or #r \"nuget: Id\" for the newest.", line);
    }

    public override string ToString() => Version is null ? Id : $"{Id}, {Version}";

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$")]
    private static partial Regex Id_();

    // 1.2.3, 1.2.3-beta.1, 1.*, *-*, [1.0, 2.0)
    [GeneratedRegex(@"^[\[\(]?[0-9A-Za-z.*+\-, ]+[\]\)]?$")]
    private static partial Regex Version_();
}
