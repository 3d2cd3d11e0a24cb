using System.Globalization;
using System.Text;

namespace TorchQuant.Interactive.Rendering;

/// <summary>Numbers as people read them; always with the invariant culture: 1,234.5.</summary>
internal static class NumberText
{
    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>About <paramref name="digits"/> significant digits; integers below a million whole; the very large and the very small as 1.2×10⁻⁵.</summary>
    public static string Short(double value, int digits = 3)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "∞" : "−∞";
        if (value == 0) return "0";
        var magnitude = Math.Abs(value);
        if (magnitude is >= 1e6 or < 1e-3) return Scientific(value, digits - 1);
        if (magnitude < 1e6 && magnitude == Math.Floor(magnitude)) return Sign(value.ToString("N0", Invariant));
        var decimals = Math.Clamp(digits - 1 - (int)Math.Floor(Math.Log10(magnitude)), 0, 6);
        var text = value.ToString("N" + decimals.ToString(Invariant), Invariant);
        return Sign(decimals > 0 ? TrimZeros(text) : text);
    }

    /// <summary>With a fixed number of decimals and thousands separators.</summary>
    public static string Fixed(double value, int decimals) =>
        double.IsFinite(value) ? Sign(value.ToString("N" + decimals.ToString(Invariant), Invariant)) : Short(value);

    /// <summary>As 2.50×10⁻⁵ with <paramref name="decimals"/> decimals of the mantissa.</summary>
    public static string Scientific(double value, int decimals)
    {
        var text = value.ToString("E" + Math.Max(0, decimals).ToString(Invariant), Invariant);
        var split = text.IndexOf('E', StringComparison.Ordinal);
        var mantissa = Sign(decimals > 0 ? TrimZeros(text[..split]) : text[..split]);
        return $"{(mantissa == "1" ? "" : mantissa == "−1" ? "−" : mantissa + "×")}10{Superscript(int.Parse(text[(split + 1)..], Invariant))}";
    }

    /// <summary>Bytes in units of 1000: 955.9 kB, 113.94 MB.</summary>
    public static string Bytes(long bytes) => Math.Abs((double)bytes) switch
    {
        < 1e3 => Fixed(bytes, 0) + " B",
        < 1e6 => Fixed(bytes / 1e3, 1) + " kB",
        < 1e9 => Fixed(bytes / 1e6, 2) + " MB",
        _ => Fixed(bytes / 1e9, 2) + " GB",
    };

    /// <summary>A duration for a person: 850 ms, 12.4 s, 3:05, 1:02:03.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => Fixed(time.TotalMilliseconds, 0) + " ms",
        < 60 => Fixed(time.TotalSeconds, 1) + " s",
        < 3600 => time.ToString(@"m\:ss", Invariant),
        _ => ((long)time.TotalHours).ToString(Invariant) + time.ToString(@"\:mm\:ss", Invariant),
    };

    private static string Superscript(int exponent)
    {
        var text = new StringBuilder();
        foreach (var c in exponent.ToString(Invariant)) text.Append(c == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0']);
        return text.ToString();
    }

    private static string TrimZeros(string text) => text.TrimEnd('0').TrimEnd('.');

    // The minus sign is as wide as a digit; a zero has no sign ("-0.00" comes of rounding).
    private static string Sign(string text) => text.StartsWith('-') ? (text.AsSpan(1).ContainsAnyInRange('1', '9') ? "−" : "") + text[1..] : text;
}
