namespace TorchQuant.Interactive.Rendering;

/// <summary>Names of categories that are too long for their place.</summary>
internal static class CategoryNames
{
    /// <summary>
    /// Each of <paramref name="names"/> in at most <paramref name="width"/>: the parts up to a dot that all share are left out first (model.layers.0.linear, model.layers.1.linear: …0.linear,
    /// …1.linear), then the middle.
    /// </summary>
    public static IReadOnlyList<string> Shortened(IReadOnlyList<string> names, double size, Func<int, double> width)
    {
        var shared = Enumerable.Range(0, names.Count).Any(i => TextMetrics.Width(names[i], size) > width(i)) ? SharedStart(names) : 0;
        return [.. names.Select((name, i) => TextMetrics.ShortenMiddle(shared == 0 ? name : "…" + name[shared..], size, width(i)))];
    }

    private static int SharedStart(IReadOnlyList<string> names)
    {
        if (names.Count < 2) return 0;
        var shared = names.Min(name => name.Length);
        foreach (var name in names) shared = Math.Min(shared, name.AsSpan().CommonPrefixLength(names[0]));
        return names[0].AsSpan(0, shared).LastIndexOf('.') + 1;
    }
}
