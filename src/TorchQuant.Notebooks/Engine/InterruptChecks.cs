using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// Writes <see cref="Interactive.Interrupts.Check"/> into the loops of a C# cell and <see cref="Interactive.Interrupts.Enter"/> into its functions: an interrupt then stops it between two statements, and a
/// recursion without end is an exception, where .NET would end the process. The other way to interrupt, to abort the thread, can end the process when it hits the entry or exit of a function, and does not always reach a loop without calls.
/// Lines keep their numbers; columns do not.
/// </summary>
internal static class InterruptChecks
{
    private const string Check = "global::TorchQuant.Notebooks.Interactive.Interrupts.Check(); ";
    private const string Enter = "global::TorchQuant.Notebooks.Interactive.Interrupts.Enter(); ";

    private static readonly CSharpParseOptions s_script = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    public static string Insert(string code)
    {
        var edits = new List<(int Start, int Length, string Text)>();
        foreach (var node in CSharpSyntaxTree.ParseText(code, s_script).GetRoot().DescendantNodes())
        {
            switch (node)
            {
                case WhileStatementSyntax or DoStatementSyntax or ForStatementSyntax or CommonForEachStatementSyntax:
                    AddToLoop(Body(node), edits);
                    break;
                case BaseMethodDeclarationSyntax { Body: { } body } and not DestructorDeclarationSyntax: AddToBlock(body, Enter, edits); break; // an exception in a finalizer would end the process
                case MethodDeclarationSyntax { ExpressionBody: { } arrow } method: AddToArrow(arrow, method.SemicolonToken, method.ReturnType, method.Modifiers, edits); break;
                case LocalFunctionStatementSyntax { Body: { } body }: AddToBlock(body, Enter, edits); break;
                case LocalFunctionStatementSyntax { ExpressionBody: { } arrow } function: AddToArrow(arrow, function.SemicolonToken, function.ReturnType, function.Modifiers, edits); break;
                case AnonymousFunctionExpressionSyntax { Block: { } body }: AddToBlock(body, Enter, edits); break;
            }
        }
        if (edits.Count == 0) return code;
        var text = new StringBuilder(code);
        // From the end, so that places before stay what they are; of two at one place the one that was found later lies inside.
        foreach (var (start, length, replacement) in edits.Select((edit, i) => (edit, i)).OrderByDescending(e => e.edit.Start).ThenByDescending(e => e.i).Select(e => e.edit))
            text.Remove(start, length).Insert(start, replacement);
        return text.ToString();
    }

    private static StatementSyntax Body(SyntaxNode loop) => loop switch
    {
        WhileStatementSyntax l => l.Statement,
        DoStatementSyntax l => l.Statement,
        ForStatementSyntax l => l.Statement,
        CommonForEachStatementSyntax l => l.Statement,
        _ => throw new InvalidOperationException(),
    };

    private static void AddToLoop(StatementSyntax body, List<(int, int, string)> edits)
    {
        if (body is BlockSyntax block)
        {
            AddToBlock(block, Check, edits);
            return;
        }
        // A declaration is no body of a loop, and its error must stay.
        if (body is LocalDeclarationStatementSyntax or LocalFunctionStatementSyntax or LabeledStatementSyntax || body.ContainsDiagnostics) return;
        edits.Add((body.SpanStart, 0, "{ " + Check));
        edits.Add((body.Span.End, 0, " }"));
    }

    private static void AddToBlock(BlockSyntax block, string check, List<(int, int, string)> edits)
    {
        if (!block.OpenBraceToken.IsMissing) edits.Add((block.OpenBraceToken.Span.End, 0, " " + check));
    }

    private static void AddToArrow(ArrowExpressionClauseSyntax arrow, SyntaxToken semicolon, TypeSyntax type, SyntaxTokenList modifiers, List<(int, int, string)> edits)
    {
        if (semicolon.IsMissing || arrow.ContainsDiagnostics) return;
        var givesNothing = type is PredefinedTypeSyntax { Keyword.RawKind: (int)SyntaxKind.VoidKeyword }
            || (modifiers.Any(SyntaxKind.AsyncKeyword) && type is not GenericNameSyntax and not QualifiedNameSyntax { Right: GenericNameSyntax });
        var isThrow = arrow.Expression is ThrowExpressionSyntax;
        edits.Add((arrow.ArrowToken.SpanStart, arrow.ArrowToken.Span.Length, "{ " + Enter + (givesNothing || isThrow ? "" : "return ")));
        edits.Add((semicolon.Span.End, 0, " }"));
    }
}
