using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.EditorServices;
using FSharp.Compiler.Interactive;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace TorchQuant.Notebooks.Engine.Editing;

/// <summary>Help while F# is typed, by the compiler's services for editors.</summary>
internal static class FSharpEditor
{
    // Brackets, strings and comments that are open where the text ends.
    private static readonly int[] s_open = [514, 515, 516, 517, 583, 598];

    public static Completions Complete(Shell.FsiEvaluationSession session, string code, int position)
    {
        var (line, column, text) = LineAt(code, position);
        var (parsed, checkedFile, _) = session.ParseAndCheckInteraction(code, null).ToValueTuple();
        var partial = QuickParse.GetPartialLongNameEx(text, column - 1);
        var found = checkedFile.GetDeclarationListInfo(FSharpOption<FSharpParseFileResults>.Some(parsed), line, text, partial, null, null, null);
        var typed = partial.PartialIdent;
        var items = found.Items.Where(item => item.NameInList.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            .Select(item => new Completion(item.NameInCode, Kind(item.Glyph))).DistinctBy(item => item.Text);
        return new Completions(position - typed.Length, position, [.. items]);
    }

    public static string? Inspect(Shell.FsiEvaluationSession session, string code, int position)
    {
        var (line, column, text) = LineAt(code, position);
        if (text.Length == 0) return null;
        // The name in which the cursor stands, or behind which.
        var island = QuickParse.GetCompleteIdentifierIsland(false, text, Math.Min(column, text.Length - 1)) ?? (column > 0 ? QuickParse.GetCompleteIdentifierIsland(false, text, column - 1) : null);
        if (island?.Value is not { } name) return null;
        var (_, checkedFile, _) = session.ParseAndCheckInteraction(code, null).ToValueTuple();
        var tip = checkedFile.GetToolTip(line, name.Item2, text, ListModule.OfSeq(name.Item1.Split('.')), FSharpTokenTag.Identifier, null);
        var parts = tip.Item.OfType<ToolTipElement.Group>().SelectMany(group => group.elements).Select(element => element.MainDescription.Text.Trim()
            + (element.Remarks is { Value: { } remarks } ? "\n" + remarks.Text.Trim() : "")).Where(part => part.Length > 0).ToArray();
        return parts.Length > 0 ? string.Join("\n\n", parts) : null;
    }

    public static Completeness Check(Shell.FsiEvaluationSession session, string code)
    {
        var (parsed, _, _) = session.ParseAndCheckInteraction(code, null).ToValueTuple();
        var errors = parsed.Diagnostics.Where(diagnostic => diagnostic.Severity == FSharpDiagnosticSeverity.Error || diagnostic.ErrorNumber == 58).ToArray();
        if (errors.Length == 0)
        {
            // A block may go on as long as lines are indented; an empty line ends it.
            var last = code.Split('\n')[^1];
            return last.Length > 0 && char.IsWhiteSpace(last[0]) && last.Trim().Length > 0 && code.Contains('\n', StringComparison.Ordinal) ? Completeness.Incomplete : Completeness.Complete;
        }
        if (errors.Any(error => s_open.Contains(error.ErrorNumber))) return Completeness.Incomplete;
        // "Unexpected symbol" is a symbol that is there; everything else that is wrong at the very end is something that is not there yet.
        if (errors.Any(error => error.ErrorNumber == 10 && error.Message.StartsWith("Unexpected", StringComparison.Ordinal))) return Completeness.Invalid;
        var (lastLine, lastColumn) = End(code);
        return errors.All(error => error.Range.EndLine > lastLine || (error.Range.EndLine == lastLine && error.Range.EndColumn >= lastColumn)) ? Completeness.Incomplete : Completeness.Invalid;
    }

    private static (int Line, int Column) End(string code)
    {
        var lines = code.TrimEnd().Split('\n');
        return (lines.Length, lines[^1].Length);
    }

    // Lines count from 1, columns from 0.
    private static (int Line, int Column, string Text) LineAt(string code, int position)
    {
        var start = position == 0 ? 0 : code.LastIndexOf('\n', position - 1) + 1;
        var end = code.IndexOf('\n', position) is var at and >= 0 ? at : code.Length;
        return (code.AsSpan(0, position).Count('\n') + 1, position - start, code[start..end]);
    }

    private static string Kind(FSharpGlyph glyph) =>
        glyph.IsMethod || glyph.IsOverridenMethod || glyph.IsExtensionMethod || glyph.IsDelegate ? "function"
        : glyph.IsClass || glyph.IsStruct || glyph.IsInterface || glyph.IsEnum || glyph.IsUnion || glyph.IsType || glyph.IsTypedef || glyph.IsException ? "class"
        : glyph.IsModule || glyph.IsNameSpace ? "module"
        : glyph.IsProperty || glyph.IsField || glyph.IsEvent || glyph.IsEnumMember ? "property"
        : glyph.IsVariable || glyph.IsConstant ? "instance"
        : "text";
}
