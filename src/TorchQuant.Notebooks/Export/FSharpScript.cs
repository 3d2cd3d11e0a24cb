using System.Text;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Syntax;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Export;

/// <summary>A notebook of F# as a script for <c>dotnet fsi</c>: the cells as they are, <c>#r "nuget: …"</c> too, and their last values printed.</summary>
internal static class FSharpScript
{
    // What a cell has without asking for it.
    private static readonly string[] s_opens = ["System", "System.IO", "System.Text"];

    private const string Support = """
        // What a notebook shows, this script prints.
        type DisplayedValue() =
            member _.Update(value: obj) = printfn "%O" value
        type Notebook =
            static member display(value: obj, [<System.ParamArray>] mimeTypes: string[]) =
                printfn "%O" value
                DisplayedValue()
            static member HTML(content: string) = content
            static member show(value: 'a) = if typeof<'a> <> typeof<unit> && typeof<'a> <> typeof<DisplayedValue> then printfn "%O" (box value)
        open type Notebook
        """;

    /// <exception cref="ExportException">Two cells declare the same name, which a script cannot.</exception>
    public static string Write(ScriptSource source)
    {
        var text = new StringBuilder();
        foreach (var line in source.Head("dotnet fsi " + Path.ChangeExtension(source.Name, ".fsx"))) text.Append(line).Append('\n');
        foreach (var name in s_opens) text.Append("open ").Append(name).Append('\n');
        text.Append(Support).Append('\n');
        var declared = new Dictionary<string, int>();
        foreach (var part in source.Parts)
            text.Append('\n').Append(part.IsText ? string.Join('\n', ScriptSource.Comments(part.Code)) : Cell(part, declared)).Append('\n');
        return text.ToString();
    }

    private static string Cell(ScriptPart part, Dictionary<string, int> declared)
    {
        var syntax = FSharpSyntax.Parse(part.Code);
        if (syntax.Diagnostics.FirstOrDefault(diagnostic => diagnostic.Severity == FSharpDiagnosticSeverity.Error) is { } error)
            throw new ExportException($"Cell {part.Cell} is not F# that compiles: {error.Message}");
        foreach (var name in syntax.Declarations.SelectMany(Names))
            if (!declared.TryAdd(name, part.Cell))
                throw new ExportException($"Cell {part.Cell} declares {name}, as cell {declared[name]} does. A script has one scope, in which a name is declared once: give one of them another name.");
        // An expression that has no value, like printfn, is of type unit, and show prints nothing.
        return syntax.Declarations is [.., SynModuleDecl.Expr] ? part.Code + "\n|> show" : part.Code;
    }

    private static IEnumerable<string> Names(SynModuleDecl declaration) => declaration switch
    {
        SynModuleDecl.Let let => let.bindings.SelectMany(binding => Names(binding.headPat)),
        SynModuleDecl.Types types => types.typeDefns.SelectMany(type => type.typeInfo.longId).Select(part => part.idText),
        SynModuleDecl.NestedModule module => module.moduleInfo.longId.Select(part => part.idText),
        _ => [],
    };

    private static IEnumerable<string> Names(SynPat pattern) => pattern switch
    {
        SynPat.Named named => [named.ident.ident.idText],
        SynPat.LongIdent { longDotId.LongIdent: [var only] } => [only.idText],
        SynPat.Paren paren => Names(paren.pat),
        SynPat.Typed typed => Names(typed.pat),
        SynPat.Attrib attributed => Names(attributed.pat),
        SynPat.As both => Names(both.lhsPat).Concat(Names(both.rhsPat)),
        SynPat.Tuple tuple => tuple.elementPats.SelectMany(Names),
        _ => [],
    };
}
