using System.Globalization;

namespace TorchQuant.Interactive.Rendering;

/// <summary>How well two colours can be told apart by lightness: WCAG 2.2, "contrast ratio" and "relative luminance".</summary>
internal static class Contrast
{
    /// <summary>1 (the same) to 21 (black and white), for colours as #rrggbb.</summary>
    public static double Ratio(string first, string second)
    {
        double a = Luminance(first), b = Luminance(second);
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    /// <summary>Red, green and blue of #rrggbb as linear light in [0, 1].</summary>
    /// <exception cref="ArgumentException">Not of that form.</exception>
    public static double[] Linear(string color)
    {
        if (color.Length != 7 || color[0] != '#' || !int.TryParse(color.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var rgb))
            throw new ArgumentException($"'{color}' is no colour of the form #rrggbb.", nameof(color));
        return [.. new[] { rgb >> 16, (rgb >> 8) & 255, rgb & 255 }.Select(channel => channel / 255.0).Select(v => v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4))];
    }

    private static double Luminance(string color)
    {
        var light = Linear(color);
        return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    }
}
