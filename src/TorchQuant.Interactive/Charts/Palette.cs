namespace TorchQuant.Interactive;

/// <summary>
/// The one visual language of all charts and tables: a fixed colour per data type. Each colour has a contrast of at least 3 on white and on near-black (#1e1e1e), so that a chart needs no
/// theme, and the colours of the data types stay apart for people with protanopia, deuteranopia and tritanopia (tests check both).
/// Its families of hue are those of Okabe and Ito's palette ("Color Universal Design", 2008): blue, vermilion, reddish purple, bluish green; hue and lightness were then chosen for that contrast on both grounds, which
/// the original colours, made for white paper, do not have.
/// </summary>
public static class Palette
{
#pragma warning disable CA1720 // The names are the data types that the colours stand for.
    /// <summary>Float32: blue.</summary>
    public const string Float = "#3d6dcc";

    /// <summary>Int8 and other integer types: orange.</summary>
    public const string Int8 = "#c8680f";
#pragma warning restore CA1720

    /// <summary>Fake-quantized (quantization-aware training): purple.</summary>
    public const string FakeQuant = "#8f5687";

    /// <summary>Float16: teal.</summary>
    public const string Float16 = "#18a3a3";

    /// <summary>What is neither: reference lines, "other".</summary>
    public const string Neutral = "#7d828a";

    /// <summary>Numbers above zero, in heat maps: blue.</summary>
    public const string Positive = Float;

    /// <summary>Numbers below zero, in heat maps: rose.</summary>
    public const string Negative = "#d0486b";

    /// <summary>Colours for series that name no data type, in order.</summary>
    public static IReadOnlyList<string> Series { get; } = [Float, Negative, Neutral, Float16, FakeQuant, Int8];

    // For a second series of one data type: not what would stand for another type, while there is a choice.
    private static IReadOnlyList<string> Seconds { get; } = [Neutral, Negative, FakeQuant, Float16, Float, Int8];

    /// <summary>
    /// The colour of the data type that <paramref name="name"/> names ("fake" before "int8" or "uint8" before "float16" or "half" before "float"), or null when it names none.
    /// </summary>
    public static string? ForName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Names("fake")) return FakeQuant;
        if (Names("int8") || Names("int4") || Names("quantized")) return Int8;
        if (Names("float16") || Names("fp16") || Names("half")) return Float16;
        return Names("float") || Names("fp32") ? Float : null;

        bool Names(string word) => name.Contains(word, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>One colour per name, all different while the palette lasts: chosen ones first, then the data type's, then the next free one.</summary>
    internal static string[] Assign(IReadOnlyList<(string Name, string? Chosen)> series)
    {
        var colors = new string?[series.Count];
        var taken = new HashSet<string>();
        for (var i = 0; i < colors.Length; i++)
            if (series[i].Chosen is { } chosen) taken.Add(colors[i] = chosen);
        for (var i = 0; i < colors.Length; i++)
            if (colors[i] is null && ForName(series[i].Name) is { } typed && taken.Add(typed)) colors[i] = typed;
        var next = 0;
        for (var i = 0; i < colors.Length; i++)
        {
            if (colors[i] is not null) continue;
            var choice = ForName(series[i].Name) is null ? Series : Seconds;
            colors[i] = choice.FirstOrDefault(taken.Add) ?? choice[next++ % choice.Count];
        }
        return colors!;
    }
}
