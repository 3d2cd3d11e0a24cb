using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace TorchQuant.Notebooks.Html;

/// <summary>C# with its words in spans: keyword, string, number, comment, directive. The compiler's own lexer decides what is what.</summary>
internal static class CodeHighlighter
{
    private static readonly CSharpParseOptions s_script = new(LanguageVersion.Preview, kind: SourceCodeKind.Script);

    public static string ToHtml(string code)
    {
        var html = new StringBuilder(code.Length * 2);
        foreach (var token in CSharpSyntaxTree.ParseText(code, s_script).GetRoot().DescendantTokens())
        {
            foreach (var trivia in token.LeadingTrivia) Append(html, trivia.ToFullString(), ClassOf(trivia));
            Append(html, token.Text, ClassOf(token));
            foreach (var trivia in token.TrailingTrivia) Append(html, trivia.ToFullString(), ClassOf(trivia));
        }
        return html.ToString();
    }

    internal static void Append(StringBuilder html, string text, string? kind)
    {
        if (text.Length == 0) return;
        if (kind is null) html.Append(HtmlPage.Encode(text));
        else html.Append("<span class=\"").Append(kind).Append("\">").Append(HtmlPage.Encode(text)).Append("</span>");
    }

    private static string? ClassOf(SyntaxTrivia trivia) =>
        trivia.IsDirective ? "d"
        : trivia.Kind() is SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia
            or SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia ? "c"
        : null;

    private static string? ClassOf(SyntaxToken token) => token.Kind() switch
    {
        SyntaxKind.NumericLiteralToken => "n",
        SyntaxKind.IdentifierToken => token.Text is "var" or "await" or "record" or "nameof" ? "k" : null,
        _ when SyntaxFacts.IsKeywordKind(token.Kind()) || SyntaxFacts.IsContextualKeyword(token.Kind()) => "k",
        _ when token.Kind().ToString() is var name && (name.Contains("String", StringComparison.Ordinal) || name == nameof(SyntaxKind.CharacterLiteralToken)) => "s",
        _ => null,
    };
}
