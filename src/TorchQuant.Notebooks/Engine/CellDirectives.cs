using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Engine;

/// <summary>A file that a cell references with <c>#r "path"</c>, as written.</summary>
internal sealed record AssemblyRequest(string Path, int Line);

/// <summary>
/// What a C# segment asks of the host before it runs, and its code with those lines blank (so that line numbers stay).
/// Understood: <c>#r "nuget: Id, Version"</c> (version optional), <c>#r "path/to/file.dll"</c>, <c>#i "nuget: source"</c>. Everything else
/// (<c>#load</c>, <c>#nullable</c>, <c>#if</c>, <c>#r "System.Xml"</c>) is left to the compiler.
/// </summary>
internal sealed partial record CellDirectives(
    string Code, IReadOnlyList<PackageRequest> Packages, IReadOnlyList<string> Sources, IReadOnlyList<AssemblyRequest> Assemblies)
{
    private static readonly CSharpParseOptions s_script = new(LanguageVersion.Preview, kind: SourceCodeKind.Script);

    public static CellDirectives Parse(string code)
    {
        if (!code.Contains('#', StringComparison.Ordinal)) return new CellDirectives(code, [], [], []);
        var packages = new List<PackageRequest>();
        var sources = new List<string>();
        var assemblies = new List<AssemblyRequest>();
        var root = CSharpSyntaxTree.ParseText(code, s_script).GetRoot();
        var lines = code.Split('\n');
        var position = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var next = position + lines[i].Length + 1;
            // The compiler's own lexer decides whether the line is a directive: in a comment or a raw string it is not.
            if (Directive().Match(lines[i]) is { Success: true } match && root.FindTrivia(position + match.Groups["hash"].Index).IsDirective)
            {
                if (Read(match.Groups["kind"].Value, match.Groups["text"].Value.Trim(), i + 1)) lines[i] = "";
            }
            position = next;
        }
        return new CellDirectives(string.Join('\n', lines), packages, sources, assemblies);

        bool Read(string kind, string text, int line)
        {
            var isNuget = text.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase);
            if (isNuget && kind == "r") packages.Add(PackageRequest.Parse(text["nuget:".Length..], line));
            else if (isNuget) sources.Add(text["nuget:".Length..].Trim());
            else if (kind == "i") throw new CellException($"#i \"{text}\" names no package source. Write #i \"nuget: <folder or address>\".", line);
            else if (IsFile(text)) assemblies.Add(new AssemblyRequest(text, line));
            else return false;
            return true;
        }
    }

    private static bool IsFile(string text) =>
        text.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) || text.EndsWith(".exe", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("""^\s*(?<hash>#)\s*(?<kind>[ri])\s+"(?<text>[^"]*)"\s*(//.*)?\r?$""")]
    private static partial Regex Directive();
}
