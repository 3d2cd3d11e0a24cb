using System.Text;
using System.Text.RegularExpressions;
using Markdig.Extensions.Mathematics;
using Markdig.Renderers;
using Markdig.Renderers.Html;

namespace TorchQuant.Notebooks.Html;

/// <summary>
/// Formulas of the simple kind (letters, Greek, sub- and superscripts, a few operators) as HTML that needs no script and no font from elsewhere.
/// What it does not know stays as it was written in TeX.
/// </summary>
internal static partial class MathHtml
{
    private static readonly Dictionary<string, string> s_symbols = new()
    {
        ["cdot"] = "·",
        ["times"] = "×",
        ["pm"] = "±",
        ["le"] = "≤",
        ["leq"] = "≤",
        ["ge"] = "≥",
        ["geq"] = "≥",
        ["ne"] = "≠",
        ["approx"] = "≈",
        ["in"] = "∈",
        ["to"] = "→",
        ["sum"] = "∑",
        ["prod"] = "∏",
        ["infty"] = "∞",
        ["ldots"] = "…",
        ["dots"] = "…",
        ["odot"] = "⊙",
        ["lfloor"] = "⌊",
        ["rfloor"] = "⌋",
        ["alpha"] = "α",
        ["beta"] = "β",
        ["gamma"] = "γ",
        ["delta"] = "δ",
        ["epsilon"] = "ε",
        ["lambda"] = "λ",
        ["mu"] = "μ",
        ["sigma"] = "σ",
        ["tau"] = "τ",
        ["Delta"] = "Δ",
        ["left"] = "",
        ["right"] = "",
        [","] = " ",
        [";"] = " ",
        ["quad"] = "  ",
        ["top"] = "⊤",
        ["log"] = "log",
        ["ln"] = "ln",
        ["exp"] = "exp",
        ["min"] = "min",
        ["max"] = "max",
        ["tanh"] = "tanh",
    };

    public static string Of(string tex)
    {
        var html = HtmlPage.Encode(tex.Trim());
        html = Upright().Replace(html, "<span class=\"up\">$1</span>");
        html = Fraction().Replace(html, "($1)/($2)");
        html = Symbol().Replace(html, match => s_symbols.TryGetValue(match.Groups[1].Value, out var symbol) ? symbol : match.Value);
        html = Script().Replace(html, match =>
        {
            var tag = match.Groups[1].Value == "^" ? "sup" : "sub";
            return $"<{tag}>{(match.Groups[2].Success ? match.Groups[2].Value : match.Groups[3].Value)}</{tag}>";
        });
        return html;
    }

    /// <summary>Writes <c>$...$</c> within a line.</summary>
    internal sealed class Inline : HtmlObjectRenderer<MathInline>
    {
        protected override void Write(HtmlRenderer renderer, MathInline obj) =>
            renderer.Write("<span class=\"math\">").Write(Of(obj.Content.ToString())).Write("</span>");
    }

    /// <summary>Writes <c>$$...$$</c> as a paragraph.</summary>
    internal sealed class Block : HtmlObjectRenderer<MathBlock>
    {
        protected override void Write(HtmlRenderer renderer, MathBlock obj)
        {
            var tex = new StringBuilder();
            for (var i = 0; i < obj.Lines.Count; i++) tex.Append(obj.Lines.Lines[i].Slice.ToString()).Append('\n');
            renderer.Write("<p class=\"math\">").Write(Of(tex.ToString())).Write("</p>").WriteLine();
        }
    }

    [GeneratedRegex(@"\\(?:text|mathrm|operatorname)\{([^{}]*)\}")]
    private static partial Regex Upright();

    [GeneratedRegex(@"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")]
    private static partial Regex Fraction();

    [GeneratedRegex(@"\\([A-Za-z]+|[,;])")]
    private static partial Regex Symbol();

    [GeneratedRegex(@"([\^_])(?:\{([^{}]*)\}|([^\s{}\\<&]))")]
    private static partial Regex Script();
}
