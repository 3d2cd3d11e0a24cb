using System.Text;

namespace TorchQuant.Interactive.Rendering;

/// <summary>
/// How wide a text will be, without a font at hand: an upper estimate per class of characters, after the wider of the usual sans-serif fonts (DejaVu Sans, Verdana), so that what is laid
/// out with it does not collide with the narrower ones. Hangul, Han and kana are one em wide.
/// </summary>
internal static class TextMetrics
{
    /// <summary>The width of <paramref name="text"/> in the units of <paramref name="size"/>.</summary>
    public static double Width(string text, double size, bool bold = false)
    {
        double width = 0;
        foreach (var rune in text.EnumerateRunes()) width += Em(rune);
        return width * size * (bold ? 1.1 : 1);
    }

    /// <summary>How many columns of a terminal <paramref name="text"/> takes: two for wide characters, none for combining ones.</summary>
    public static int Columns(string text) => text.EnumerateRunes().Sum(rune => IsCombining(rune) ? 0 : IsWide(rune) ? 2 : 1);

    /// <summary><paramref name="text"/> if it fits in <paramref name="width"/>, else its start with an ellipsis.</summary>
    public static string Shorten(string text, double size, double width, bool bold = false)
    {
        if (Width(text, size, bold) <= width) return text;
        var kept = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Width(kept.ToString() + rune + "…", size, bold) > width) break;
            kept.Append(rune);
        }
        return kept.ToString().TrimEnd() + "…";
    }

    /// <summary><paramref name="text"/> if it fits, else its start and its end with an ellipsis between: module paths differ at both.</summary>
    public static string ShortenMiddle(string text, double size, double width)
    {
        if (Width(text, size) <= width) return text;
        var runes = text.EnumerateRunes().ToArray();
        int head = 0, tail = 0;
        while (head + tail < runes.Length)
        {
            var (nextHead, nextTail) = head * 2 <= tail ? (head + 1, tail) : (head, tail + 1);
            if (Width(Joined(nextHead, nextTail), size) > width) break;
            (head, tail) = (nextHead, nextTail);
        }
        return Joined(head, tail);

        string Joined(int first, int last) => string.Concat(runes[..first]) + "…" + string.Concat(runes[^last..]);
    }

    /// <summary>
    /// Breaks a text into lines of at most <paramref name="width"/>: at spaces; a word wider than a line after one of <c>. _ / -</c>. What is still too wide, and the last of
    /// <paramref name="maxLines"/>, is shortened.
    /// </summary>
    public static List<string> Wrap(string text, double size, double width, int maxLines, bool bold = false)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var part in Parts(text, " \n").SelectMany(word => Width(word.TrimEnd(), size, bold) > width ? Parts(word, "._/- ") : [word]))
        {
            if (line.Length > 0 && Width((line + part).TrimEnd(), size, bold) > width)
            {
                lines.Add(line.Trim());
                line = "";
            }
            line += part;
        }
        if (line.Trim().Length > 0) lines.Add(line.Trim());
        if (lines.Count > maxLines)
        {
            lines[maxLines - 1] = string.Join(' ', lines.Skip(maxLines - 1));
            lines.RemoveRange(maxLines, lines.Count - maxLines);
        }
        for (var i = 0; i < lines.Count; i++) lines[i] = Shorten(lines[i], size, width, bold);
        return lines;
    }

    private static IEnumerable<string> Parts(string text, string separators)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!separators.Contains(text[i], StringComparison.Ordinal)) continue;
            yield return text[start..(i + 1)].Replace('\n', ' ');
            start = i + 1;
        }
        if (start < text.Length) yield return text[start..];
    }

    private static double Em(Rune rune) => rune.Value switch
    {
        'i' or 'l' or 'j' or '\'' or '|' or '!' or '.' or ',' or ':' or ';' or ' ' => 0.33,
        'f' or 't' or 'r' or '(' or ')' or '[' or ']' or '/' or '-' or 'I' or '"' or '·' => 0.42,
        'm' or 'w' or 'M' or 'W' or '%' or '@' or '…' or '—' => 1.0,
        >= 'A' and <= 'Z' => 0.73,
        < 0x2000 when IsCombining(rune) => 0,
        < 0x1100 => 0.64,
        _ when IsCombining(rune) => 0,
        _ when IsWide(rune) => 1.0,
        >= 0x2070 and <= 0x209F => 0.42, // superscripts
        _ => 0.84,
    };

    private static bool IsCombining(Rune rune) => Rune.GetUnicodeCategory(rune) is
        System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark or System.Globalization.UnicodeCategory.Format;

    // East Asian Wide and Fullwidth of UAX 11, by block.
    private static bool IsWide(Rune rune) => rune.Value is
        (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xA960 and <= 0xA97F) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or
        (>= 0xFE30 and <= 0xFE4F) or (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD);
}
