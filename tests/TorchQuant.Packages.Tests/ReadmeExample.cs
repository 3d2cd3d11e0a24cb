using System.Reflection;
using System.Text.RegularExpressions;

namespace TorchQuant.Packages.Tests;

/// <summary>The C# blocks of the README: what the README shows is what is tested.</summary>
internal static partial class ReadmeExample
{
    public static string Root { get; } =
        typeof(ReadmeExample).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>All of them, in their order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Block().Matches(File.ReadAllText(Path.Combine(Root, "README.md"))).Select(m => m.Groups[1].Value)];

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
