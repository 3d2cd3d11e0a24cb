using System.Globalization;
using System.Text;

namespace TorchQuant.Interactive.Rendering;

/// <summary>Text into HTML and XML.</summary>
internal static class Markup
{
    /// <summary>
    /// Encodes for element content and quoted attributes alike: &amp; &lt; &gt; " '. Characters that XML 1.0 does not allow (controls, lone surrogates) become U+FFFD.
    /// </summary>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            encoded.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\t' or '\n' => rune.ToString(),
                < 0x20 or 0xFFFE or 0xFFFF => "\uFFFD",
                _ => rune.ToString(),
            });
        }
        return encoded.ToString();
    }

    /// <summary>A coordinate: at most two decimals.</summary>
    public static string Number(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);
}
