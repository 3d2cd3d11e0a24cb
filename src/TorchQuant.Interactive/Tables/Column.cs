using System.Globalization;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>Which number of a column is emphasized.</summary>
public enum Best
{
    /// <summary>None.</summary>
    None,

    /// <summary>The least: sizes, times, losses.</summary>
    Lowest,

    /// <summary>The greatest: accuracies, speeds.</summary>
    Highest,
}

/// <summary>One column of a <see cref="Table"/>. A string converts to a column, with the unit in brackets at its end: <c>"size [MB]"</c>.</summary>
/// <param name="Name">The heading.</param>
/// <param name="Unit">The unit of its numbers; empty when there is none.</param>
/// <param name="Format">A .NET format for its numbers, such as <c>N2</c>; empty: four significant digits.</param>
/// <param name="Best">Which number is emphasized.</param>
public sealed record Column(string Name, string Unit = "", string Format = "", Best Best = Best.None)
{
    /// <summary>Reads <c>"name [unit]"</c>.</summary>
    public static Column Parse(string text)
    {
        var axis = Axis.Parse(text);
        return new Column(axis.Label, axis.Unit);
    }

    /// <summary>See <see cref="Parse"/>.</summary>
    public static implicit operator Column(string text) => Parse(text);

    /// <summary>A cell as text: numbers by <see cref="Format"/>, null as nothing, everything with the invariant culture.</summary>
    internal string TextOf(object? cell) => cell switch
    {
        null => "",
        double or float or Half => Formatted(NumberOf(cell)!.Value),
        decimal number => Formatted((double)number),
        sbyte or byte or short or ushort or int or uint or long or ulong => Format.Length > 0
            ? ((IFormattable)cell).ToString(Format, CultureInfo.InvariantCulture)
            : ((IFormattable)cell).ToString("N0", CultureInfo.InvariantCulture),
        IFormattable value => value.ToString(Format.Length > 0 ? Format : null, CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };

    /// <summary>The cell as a number, or null when it is none.</summary>
    internal static double? NumberOf(object? cell) => cell is double or float or Half or decimal or sbyte or byte or short or ushort or int or uint or long or ulong
        ? cell is Half half ? (double)half : Convert.ToDouble(cell, CultureInfo.InvariantCulture)
        : null;

    private string Formatted(double number) => Format.Length > 0 && double.IsFinite(number) ? number.ToString(Format, CultureInfo.InvariantCulture) : NumberText.Short(number, 4);
}
