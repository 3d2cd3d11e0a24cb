namespace TorchQuant.Notebooks.Packages;

/// <summary>
/// The C# of a package's <c>interactive-extensions/dotnet/extension.dib</c>, which .NET Interactive runs once after the package was referenced; so do we.
/// A .dib file is a notebook as text: <c>#!csharp</c>, <c>#!markdown</c> and so on begin its cells, <c>#!meta</c> a block of JSON.
/// </summary>
internal sealed record ExtensionScript(string File, string Code)
{
    public static ExtensionScript? Of(RestoredPackage package)
    {
        var path = Path.Combine(package.Folder, "interactive-extensions", "dotnet", "extension.dib");
        if (!System.IO.File.Exists(path)) return null;
        var code = CSharpOf(System.IO.File.ReadAllText(path));
        return code.Trim().Length == 0 ? null : new ExtensionScript($"extension.dib of {package.Id}", code);
    }

    /// <summary>The lines of the C# cells, in their places; a file that begins without a magic command begins in C#.</summary>
    public static string CSharpOf(string dib)
    {
        var lines = dib.ReplaceLineEndings("\n").Split('\n');
        var inCSharp = true;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("#!", StringComparison.Ordinal))
            {
                inCSharp = lines[i].Trim() is "#!csharp" or "#!c#" or "#!C#";
                lines[i] = "";
            }
            else if (!inCSharp)
            {
                lines[i] = "";
            }
        }
        return string.Join('\n', lines);
    }
}
