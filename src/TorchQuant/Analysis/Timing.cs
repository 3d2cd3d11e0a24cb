using System.Globalization;

namespace TorchQuant;

/// <summary>How long one candidate took.</summary>
/// <param name="Name">The candidate.</param>
/// <param name="Milliseconds">Every measured run in milliseconds, in the order it was run, warm-up left out.</param>
public sealed record Timing(string Name, IReadOnlyList<double> Milliseconds)
{
    private readonly double[] _sorted = Sorted(Milliseconds);

    /// <summary>Half of the runs were faster.</summary>
    public double Median => Quantile(0.5);

    /// <summary>A quarter of the runs were faster.</summary>
    public double LowerQuartile => Quantile(0.25);

    /// <summary>Three quarters of the runs were faster.</summary>
    public double UpperQuartile => Quantile(0.75);

    /// <summary>The fastest run.</summary>
    public double Minimum => _sorted[0];

    /// <summary>The slowest run.</summary>
    public double Maximum => _sorted[^1];

    /// <summary>Linear interpolation between the two nearest of the sorted runs: rank q (n - 1).</summary>
    /// <param name="q">0 to 1.</param>
    public double Quantile(double q)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(q, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(q, 1);
        var rank = q * (_sorted.Length - 1);
        var below = (int)rank;
        var above = Math.Min(below + 1, _sorted.Length - 1);
        return _sorted[below] + ((_sorted[above] - _sorted[below]) * (rank - below));
    }

    /// <summary>One line of text: median, quartiles, extremes.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: median {Median:0.000} ms, quartiles {LowerQuartile:0.000} to {UpperQuartile:0.000} ms, extremes {Minimum:0.000} to {Maximum:0.000} ms, {Milliseconds.Count} runs");

    private static double[] Sorted(IReadOnlyList<double> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count == 0) throw new ArgumentException("No run was measured; measure at least one.", nameof(runs));
        return [.. runs.Order()];
    }
}
