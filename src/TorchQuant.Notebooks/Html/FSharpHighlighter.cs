using System.Text;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Collections;

namespace TorchQuant.Notebooks.Html;

/// <summary>F# with its words in spans, as <see cref="CodeHighlighter"/> does for C#. The compiler's own lexer decides what is what.</summary>
internal static class FSharpHighlighter
{
    public static string ToHtml(string code)
    {
        var html = new StringBuilder(code.Length * 2);
        var tokenizer = new FSharpSourceTokenizer(FSharpList<string>.Empty, null, null);
        var state = FSharpTokenizerLexState.Initial;
        foreach (var (text, i) in code.Split('\n').Select((text, i) => (text, i)))
        {
            if (i > 0) html.Append('\n');
            var line = tokenizer.CreateLineTokenizer(text);
            var written = 0;
            while (true)
            {
                (var found, state) = line.ScanToken(state).ToValueTuple();
                if (found is null) break;
                var token = found.Value;
                var end = Math.Min(token.RightColumn + 1, text.Length);
                if (end <= written) continue;
                CodeHighlighter.Append(html, text[written..end], ClassOf(token.ColorClass));
                written = end;
            }
            CodeHighlighter.Append(html, text[written..], null);
        }
        return html.ToString();
    }

    private static string? ClassOf(FSharpTokenColorKind kind) => kind switch
    {
        FSharpTokenColorKind.Keyword => "k",
        FSharpTokenColorKind.String => "s",
        FSharpTokenColorKind.Number => "n",
        FSharpTokenColorKind.Comment => "c",
        FSharpTokenColorKind.PreprocessorKeyword or FSharpTokenColorKind.InactiveCode => "d",
        _ => null,
    };
}
