using System.Text;
using System.Text.RegularExpressions;

namespace TorchQuant.Notebooks.Documents;

/// <summary>Text that was written for a terminal, made fit for paper.</summary>
internal static partial class TerminalText
{
    /// <summary>What a terminal would show after the text: a carriage return lets later text of the line cover earlier text.</summary>
    public static string Settle(string text)
    {
        if (!text.Contains('\r', StringComparison.Ordinal)) return text;
        return string.Join('\n', text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n').Select(SettleLine));
    }

    /// <summary>The text without colours and cursor movements.</summary>
    public static string WithoutEscapes(string text) => Escapes().Replace(text, "");

    private static string SettleLine(string line)
    {
        var shown = new StringBuilder();
        foreach (var part in line.Split('\r'))
        {
            shown.Remove(0, Math.Min(part.Length, shown.Length));
            shown.Insert(0, part);
        }
        return shown.ToString();
    }

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Escapes();
}
