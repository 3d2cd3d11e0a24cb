namespace TorchQuant.Interactive.Rendering;

/// <summary>Names of categories that are too long for their place.</summary>
internal static class CategoryNames
{
    private const int LeastWord = 3;
    private static readonly char[] Digits = [.. "0123456789"];

    /// <summary>
    /// Each of <paramref name="names"/> in at most <paramref name="width"/>: the parts up to a dot that all share are left out first (model.layers.0.linear, model.layers.1.linear: …0.linear,
    /// …1.linear), then the ends of the longest parts, but not their numbers (stage1.depthwise_convolution2.norm: stage1.depthw…2.norm), then the middle.
    /// </summary>
    public static IReadOnlyList<string> Shortened(IReadOnlyList<string> names, double size, Func<int, double> width)
    {
        var shared = Enumerable.Range(0, names.Count).Any(i => TextMetrics.Width(names[i], size) > width(i)) ? SharedStart(names) : 0;
        return [.. names.Select((name, i) => TextMetrics.ShortenMiddle(PartsShortened(shared == 0 ? name : "…" + name[shared..], size, width(i)), size, width(i)))];
    }

    private static string PartsShortened(string name, double size, double width)
    {
        var parts = name.Split('.').Select(part => (Word: part.TrimEnd(Digits), Number: part[part.TrimEnd(Digits).Length..], Cut: false)).ToArray();
        while (TextMetrics.Width(Joined(), size) > width)
        {
            var longest = Enumerable.Range(0, parts.Length).MaxBy(i => parts[i].Word.Length);
            var word = parts[longest].Word;
            if (word.Length <= LeastWord) return name;
            // Half a surrogate pair is no character.
            var end = char.IsLowSurrogate(word[^1]) ? word.Length - 2 : word.Length - 1;
            parts[longest] = (word[..end], parts[longest].Number, true);
        }
        return Joined();

        string Joined() => string.Join('.', parts.Select(part => part.Cut ? part.Word + "…" + part.Number : part.Word + part.Number));
    }

    private static int SharedStart(IReadOnlyList<string> names)
    {
        if (names.Count < 2) return 0;
        var shared = names.Min(name => name.Length);
        foreach (var name in names) shared = Math.Min(shared, name.AsSpan().CommonPrefixLength(names[0]));
        return names[0].AsSpan(0, shared).LastIndexOf('.') + 1;
    }
}
