using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TorchQuant.Notebooks.Export;

/// <summary>
/// Cells may declare a name again, and a block may use a name that a later cell declares; in a program each name is declared once. The later of two gets a number: <c>row</c>, <c>row2</c>.
/// </summary>
internal sealed class CellRenaming
{
    private static readonly CSharpParseOptions s_script = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    private readonly CompilationUnitSyntax[] _cells;
    private readonly HashSet<string> _taken;

    /// <param name="cells">The code of the cells, in their order.</param>
    public CellRenaming(IEnumerable<string> cells)
    {
        _cells = [.. cells.Select(Parse)];
        _taken = [.. _cells.SelectMany(cell => cell.DescendantTokens()).Where(token => token.IsKind(SyntaxKind.IdentifierToken)).Select(token => token.ValueText)];
    }

    public static CompilationUnitSyntax Parse(string code) => (CompilationUnitSyntax)CSharpSyntaxTree.ParseText(code, s_script).GetRoot();

    /// <summary>The cells with names that differ.</summary>
    public IReadOnlyList<CompilationUnitSyntax> Cells()
    {
        var all = _cells.SelectMany(CellNames.Declared).ToHashSet();
        for (var i = 0; i < _cells.Length; i++)
            while (CellNames.InBlocks(_cells[i]).FirstOrDefault(inner => all.Contains(inner.Name)) is { Scope: { } scope, Name: var name })
                _cells[i] = Rename(_cells[i], CellNames.Uses(scope, name, isType: false), NewName(name));

        var known = new HashSet<string>();
        for (var i = 0; i < _cells.Length; i++)
        {
            foreach (var name in CellNames.Declared(_cells[i]).ToArray())
            {
                if (known.Add(name)) continue;
                var isType = CellNames.Types(_cells[i]).Contains(name);
                var other = NewName(name);
                known.Add(other);
                // A cell sees the latest declaration of those before it, and everywhere its own.
                for (var j = i; j < _cells.Length && (j == i || !CellNames.Declared(_cells[j]).Contains(name)); j++) _cells[j] = Rename(_cells[j], CellNames.Uses(_cells[j], name, isType), other);
            }
        }
        return _cells;
    }

    private string NewName(string name)
    {
        for (var n = 2; ; n++)
            if (string.Create(CultureInfo.InvariantCulture, $"{name}{n}") is var candidate && _taken.Add(candidate))
                return candidate;
    }

    private static CompilationUnitSyntax Rename(CompilationUnitSyntax cell, IEnumerable<SyntaxToken> uses, string name)
    {
        var text = new StringBuilder(cell.ToFullString());
        foreach (var token in uses.OrderByDescending(token => token.SpanStart))
        {
            // A member of an anonymous object is named by what it is made of.
            var keeps = token.Parent is IdentifierNameSyntax { Parent: AnonymousObjectMemberDeclaratorSyntax { NameEquals: null } };
            text.Remove(token.SpanStart, token.Span.Length).Insert(token.SpanStart, keeps ? $"{token.Text} = {name}" : name);
        }
        return Parse(text.ToString());
    }
}
