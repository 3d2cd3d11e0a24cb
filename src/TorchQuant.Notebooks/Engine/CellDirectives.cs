using System.Text.RegularExpressions;
using FSharp.Compiler.Tokenization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.FSharp.Core;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Engine;

/// <summary>A file that a cell references with <c>#r "path"</c>, as written.</summary>
internal sealed record AssemblyRequest(string Path, int Line);

/// <summary>
/// What a C# or F# segment asks of the host before it runs, and its code with those lines blank (so that line numbers stay).
/// Understood: <c>#r "nuget: Id, Version"</c> (version optional), <c>#r "path/to/file.dll"</c>, <c>#i "nuget: source"</c>. Everything else
/// (<c>#load</c>, <c>#nullable</c>, <c>#if</c>, <c>#r "System.Xml"</c>) is left to the compiler.
/// </summary>
internal sealed partial record CellDirectives(
    string Code, IReadOnlyList<PackageRequest> Packages, IReadOnlyList<string> Sources, IReadOnlyList<AssemblyRequest> Assemblies)
{
    private static readonly CSharpParseOptions s_script = new(LanguageVersion.Preview, kind: SourceCodeKind.Script);

    public static CellDirectives Parse(string code, CellLanguage language)
    {
        if (!code.Contains('#', StringComparison.Ordinal)) return new CellDirectives(code, [], [], []);
        var packages = new List<PackageRequest>();
        var sources = new List<string>();
        var assemblies = new List<AssemblyRequest>();
        var lines = code.Split('\n');
        // The compiler's own lexer decides whether a line is a directive: in a comment or a string over several lines it is not.
        Func<int, int, bool> isDirective = language == CellLanguage.FSharp ? FSharpDirectives(lines) : CSharpDirectives(code, lines);
        for (var i = 0; i < lines.Length; i++)
            if (Directive().Match(lines[i]) is { Success: true } match && isDirective(i, match.Groups["hash"].Index)
                && Read(match.Groups["kind"].Value, match.Groups["text"].Value.Trim(), i + 1))
                lines[i] = "";
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

    private static Func<int, int, bool> CSharpDirectives(string code, string[] lines)
    {
        var root = CSharpSyntaxTree.ParseText(code, s_script).GetRoot();
        return (line, column) => root.FindTrivia(lines[..line].Sum(text => text.Length + 1) + column).IsDirective;
    }

    private static Func<int, int, bool> FSharpDirectives(string[] lines)
    {
        var tokenizer = new FSharpSourceTokenizer(Microsoft.FSharp.Collections.FSharpList<string>.Empty, null, null);
        var inCode = new bool[lines.Length];
        var state = FSharpTokenizerLexState.Initial;
        for (var i = 0; i < lines.Length; i++)
        {
            inCode[i] = FSharpLineTokenizer.ColorStateOfLexState(state) == FSharpTokenizerColorState.Token || state.Equals(FSharpTokenizerLexState.Initial);
            var line = tokenizer.CreateLineTokenizer(lines[i]);
            FSharpOption<FSharpTokenInfo>? token;
            do (token, state) = line.ScanToken(state).ToValueTuple();
            while (token is not null);
        }
        return (line, _) => inCode[line];
    }

    private static bool IsFile(string text) =>
        text.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) || text.EndsWith(".exe", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("""^\s*(?<hash>#)\s*(?<kind>[ri])\s+"(?<text>[^"]*)"\s*(//.*)?\r?$""")]
    private static partial Regex Directive();
}
