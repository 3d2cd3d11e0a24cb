using System.Globalization;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Syntax;
using Microsoft.FSharp.Collections;
using Range = FSharp.Compiler.Text.Range;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// Writes <see cref="Interactive.Interrupts.Check"/> into the loops of an F# cell and <see cref="Interactive.Interrupts.Enter"/> into its recursive functions, as <see cref="InterruptChecks"/> does in C#. F# reads indentation, so nothing is moved: a body on lines of
/// its own gets a line before it, with a directive behind that, by which lines keep their numbers; one that stands on the line of its loop gets the call before it when nothing of it goes on below.
/// Left alone are quotations and computation expressions other than seq, async and task: there a loop is data, or means what the builder makes of it.
/// </summary>
internal static class FSharpInterruptChecks
{
    private const string Check = "global.TorchQuant.Notebooks.Interactive.Interrupts.Check()";
    private const string Enter = "global.TorchQuant.Notebooks.Interactive.Interrupts.Enter()";

    private static readonly string[] s_builders = ["seq", "async", "task"];

    /// <param name="code">The cell.</param>
    /// <param name="file">The name by which the compiler knows it.</param>
    public static string Insert(string code, string file)
    {
        // The words that begin what is changed here; most cells have none, and are not parsed twice.
        if (!code.Contains("while", StringComparison.Ordinal) && !code.Contains("for", StringComparison.Ordinal) && !code.Contains("rec", StringComparison.Ordinal)) return code;
        var syntax = FSharpSyntax.Parse(code);
        if (syntax.Diagnostics.Any(IsError)) return code;
        var written = code.Split('\n');
        var lines = (string[])written.Clone();
        // From the end, so that places before stay what they are.
        foreach (var (before, body, check) in syntax.Nodes().Where(node => IsPlain(node.Around)).SelectMany(node => Bodies(node.Node)).OrderByDescending(b => b.Body.StartLine).ThenByDescending(b => b.Body.StartColumn))
            Add(lines, written, before, body, check, file);
        var changed = string.Join('\n', lines);
        return FSharpSyntax.Parse(changed).Diagnostics.Any(IsError) ? code : changed;
    }

    // Each body with what stands before the word that begins it.
    private static IEnumerable<(Range Before, Range Body, string Check)> Bodies(SyntaxNode node) => node switch
    {
        SyntaxNode.SynExpr { Item: SynExpr.While loop } => [(loop.whileExpr.Range, loop.doExpr.Range, Check)],
        SyntaxNode.SynExpr { Item: SynExpr.WhileBang loop } => [(loop.whileExpr.Range, loop.doExpr.Range, Check)],
        SyntaxNode.SynExpr { Item: SynExpr.For loop } => [(loop.toBody.Range, loop.doBody.Range, Check)],
        SyntaxNode.SynExpr { Item: SynExpr.ForEach loop } => [(loop.enumExpr.Range, loop.bodyExpr.Range, Check)],
        SyntaxNode.SynExpr { Item: SynExpr.LetOrUse { Item: { IsRecursive: true } let } } => Functions(let.Bindings),
        SyntaxNode.SynModule { Item: SynModuleDecl.Let { isRecursive: true } let } => Functions(let.bindings),
        _ => [],
    };

    private static IEnumerable<(Range, Range, string)> Functions(FSharpList<SynBinding> bindings) =>
        from binding in bindings
        where binding.headPat is SynPat.LongIdent
        let body = binding.expr is SynExpr.Typed typed ? typed.expr : binding.expr
        select (binding.headPat.Range, body.Range, Enter);

    private static bool IsPlain(FSharpList<SyntaxNode> around)
    {
        var nodes = around.ToArray();
        for (var i = 0; i < nodes.Length; i++)
        {
            if (nodes[i] is SyntaxNode.SynExpr { Item: SynExpr.Quote }) return false;
            if (nodes[i] is SyntaxNode.SynExpr { Item: SynExpr.ComputationExpr }
                && !(i + 1 < nodes.Length && nodes[i + 1] is SyntaxNode.SynExpr { Item: SynExpr.App { funcExpr: SynExpr.Ident builder } } && s_builders.Contains(builder.ident.idText)))
                return false;
        }
        return true;
    }

    private static void Add(string[] lines, string[] written, Range before, Range body, string check, string file)
    {
        var line = body.StartLine - 1; // lines count from 1, columns from 0
        var word = Between(written, before, body);
        // Not the arrow of `for x in xs -> f x`: what follows that is one value.
        if (word.Contains("->", StringComparison.Ordinal) || !(word.Contains("do", StringComparison.Ordinal) || word.Contains('=', StringComparison.Ordinal))) return;
        var indent = written[line][..body.StartColumn];
        if (string.IsNullOrWhiteSpace(indent))
        {
            lines[line] = string.Create(CultureInfo.InvariantCulture, $"{indent}{check}\n# {body.StartLine} \"{file}\"\n{lines[line]}");
            return;
        }
        var rest = written[line][Math.Min(body.EndColumn, written[line].Length)..].Trim();
        if (body.StartLine != body.EndLine || !(rest.Trim(')', ']', '}', ' ').Length == 0 || rest.StartsWith("//", StringComparison.Ordinal))) return;
        if (written[line][body.StartColumn..body.EndColumn] is var text && (text.StartsWith("let ", StringComparison.Ordinal) || text.StartsWith("use ", StringComparison.Ordinal))) return;
        lines[line] = $"{indent}{check}; {lines[line][body.StartColumn..]}";
    }

    private static string Between(string[] lines, Range before, Range body)
    {
        if (before.EndLine == body.StartLine) return lines[before.EndLine - 1][before.EndColumn..body.StartColumn];
        var inner = lines[before.EndLine..(body.StartLine - 1)];
        return string.Join('\n', [lines[before.EndLine - 1][before.EndColumn..], .. inner, lines[body.StartLine - 1][..body.StartColumn]]);
    }

    private static bool IsError(FSharpDiagnostic diagnostic) => diagnostic.Severity == FSharpDiagnosticSeverity.Error || diagnostic.ErrorNumber == 58; // 58: offside
}
