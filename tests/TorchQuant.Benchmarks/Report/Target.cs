namespace TorchQuant.Benchmarks.Report;

/// <summary>What the race has to show for some shapes. Ratios are against the best int8 peer.</summary>
/// <param name="Name">What it is about.</param>
/// <param name="Applies">To which shapes.</param>
/// <param name="EachRatio">The smallest ratio that a shape may have.</param>
/// <param name="MeanRatio">The smallest geometric mean of the ratios.</param>
/// <param name="EachFraction">The smallest part of the machine's limit that a shape may reach.</param>
/// <param name="EachFloatRatio">The smallest ratio against the best float peer that a shape may have.</param>
internal sealed record Target(string Name, Func<ShapeResult, bool> Applies, double? EachRatio = null, double? MeanRatio = null, double? EachFraction = null, double? EachFloatRatio = null)
{
    public static readonly IReadOnlyList<Target> All =
    [
        new("linear", r => r.Ours.Group.StartsWith("linear", StringComparison.Ordinal), EachRatio: 1.05, MeanRatio: 1.15),
        new("linear, M = 1", r => r.Ours.Group.StartsWith("linear", StringComparison.Ordinal) && r.Ours.Shape.StartsWith("1x", StringComparison.Ordinal), EachRatio: 1.2),
        new("linear, static, M >= 128: part of the limit", r => r.Ours.Group == "linear" && int.Parse(r.Ours.Shape.AsSpan(0, r.Ours.Shape.IndexOf('x', StringComparison.Ordinal)), System.Globalization.CultureInfo.InvariantCulture) >= 128, EachFraction: 0.93),
        new("convolutions", r => r.Ours.Group == "conv", EachRatio: 1.0, MeanRatio: 1.15),
        new("depthwise convolutions", r => r.Ours.Group == "conv" && r.Ours.Shape.Contains(" dw", StringComparison.Ordinal), MeanRatio: 1.5),
        new("stem of ResNet", r => r.Ours.Group == "conv" && r.Ours.Shape.Contains(" 7x7 s2 3->", StringComparison.Ordinal), EachRatio: 1.3),
        new("LSTM and GRU", r => r.Ours.Group is "lstm" or "gru", EachRatio: 1.2, MeanRatio: 1.4),
        new("whole CNNs", r => r.Ours.Group == "models" && IsCnn(r.Ours.Shape), EachRatio: 1.1),
        new("ResNets against float", r => r.Ours.Group == "models" && r.Ours.Shape.StartsWith("ResNet", StringComparison.Ordinal), EachFloatRatio: 4),
    ];

    /// <summary>The shapes that miss it, with the numbers; and the mean, if that does.</summary>
    public IEnumerable<string> Misses(IReadOnlyList<ShapeResult> results)
    {
        ShapeResult[] concerned = [.. results.Where(Applies)];
        foreach (ShapeResult r in concerned)
        {
            string shape = $"{r.Ours.Group} {r.Ours.Shape}, {r.Ours.Threads} thread(s)";
            if (r.Ratio < EachRatio)
                yield return FormattableString.Invariant($"{shape}: {r.Ratio:0.00} of {r.BestInt8!.Implementation}; expected at least {EachRatio:0.00}");
            if (r.Ours.FractionOfLimit < EachFraction)
                yield return FormattableString.Invariant($"{shape}: {r.Ours.FractionOfLimit:0.00} of the limit; expected at least {EachFraction:0.00}");
            if (r.FloatRatio < EachFloatRatio)
                yield return FormattableString.Invariant($"{shape}: {r.FloatRatio:0.00} of {r.BestFloat!.Implementation}; expected at least {EachFloatRatio:0.00}");
        }

        double[] ratios = [.. concerned.Where(r => r.Ratio is not null).Select(r => r.Ratio!.Value)];
        if (MeanRatio is not null && ratios.Length > 0 && Races.Statistics.GeometricMean(ratios) < MeanRatio)
            yield return FormattableString.Invariant($"geometric mean {Races.Statistics.GeometricMean(ratios):0.00}; expected at least {MeanRatio:0.00}");
    }

    private static bool IsCnn(string shape) => shape.StartsWith("ResNet", StringComparison.Ordinal) || shape.StartsWith("MobileNetV2", StringComparison.Ordinal);
}
