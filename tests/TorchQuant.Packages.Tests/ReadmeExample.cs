using System.Reflection;
using System.Text.RegularExpressions;

namespace TorchQuant.Packages.Tests;

/// <summary>The first C# block of the README: what the README shows is what is tested.</summary>
internal static partial class ReadmeExample
{
    public static string Root { get; } =
        typeof(ReadmeExample).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static string Read() => Block().Match(File.ReadAllText(Path.Combine(Root, "README.md"))).Groups[1].Value;

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
