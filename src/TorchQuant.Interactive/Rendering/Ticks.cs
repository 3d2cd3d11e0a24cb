namespace TorchQuant.Interactive.Rendering;

/// <summary>Where an axis is labelled, and the range that it covers.</summary>
internal sealed record TickSet(double Low, double High, IReadOnlyList<double> Positions, IReadOnlyList<string> Labels)
{
    /// <summary>The same ticks on an axis that ends at <paramref name="low"/> and <paramref name="high"/>, without those outside; unchanged when too little would be left to read.</summary>
    public TickSet Within(double low, double high)
    {
        var inside = Enumerable.Range(0, Positions.Count).Where(i => Positions[i] >= low && Positions[i] <= high).ToList();
        return inside.Count < 2 ? this : new TickSet(low, high, [.. inside.Select(i => Positions[i])], [.. inside.Select(i => Labels[i])]);
    }
}

/// <summary>
/// Nice numbers for axes. Linear: the least step of the form 1, 2, 5 x 10^k that gives at most <c>most</c> intervals; the range is widened to whole steps. Logarithmic: powers of ten (every
/// n-th when there are many), with 2 and 5 between when there are few.
/// </summary>
internal static class Ticks
{
    /// <summary>Numbers beyond this cannot be placed: differences would overflow.</summary>
    public const double Largest = 1e300;

    /// <summary>The least positive number that a logarithmic axis places.</summary>
    public const double Smallest = 1e-300;

    /// <summary>Ticks over [low, high], both finite, at most <see cref="Largest"/> in size, low &lt;= high.</summary>
    public static TickSet Linear(double low, double high, int most)
    {
        (low, high) = Widened(low, high);
        var raw = (high - low) / Math.Max(1, most);
        var exponent = (int)Math.Floor(Math.Log10(raw));
        var mantissa = raw / Math.Pow(10, exponent);
        var factor = mantissa <= 1 + 1e-9 ? 1 : mantissa <= 2 + 1e-9 ? 2 : mantissa <= 5 + 1e-9 ? 5 : 10;
        if (factor == 10) (factor, exponent) = (1, exponent + 1);
        var first = (long)Math.Floor(At(low) + 1e-9);
        var last = (long)Math.Ceiling(At(high) - 1e-9);
        var positions = new List<double>();
        for (var k = first; k <= last; k++) positions.Add(Position(k));
        return new TickSet(Math.Min(positions[0], low), Math.Max(positions[^1], high), positions, Labels(positions, exponent));

        double At(double value) => exponent >= 0 ? value / (factor * Math.Pow(10, exponent)) : value * Power(-exponent) / factor;

        // Dividing by a power of ten is exact where multiplying by a tenth is not: 3 / 10, not 3 * 0.1. Beyond 10^300 it goes in two steps.
        double Position(long k) => exponent >= 0 ? k * factor * Math.Pow(10, exponent) : k * factor / Power(-exponent);

        static double Power(int n) => Math.Pow(10, Math.Min(n, 305));
    }

    /// <summary>Ticks over [low, high], both positive.</summary>
    public static TickSet Logarithmic(double low, double high, int most)
    {
        var bottom = (int)Math.Floor(Math.Log10(low) + 1e-9);
        var top = (int)Math.Ceiling(Math.Log10(high) - 1e-9);
        if (top <= bottom) top = bottom + 1;
        var every = (top - bottom + most - 1) / Math.Max(1, most);
        var between = top - bottom <= 2;
        var positions = new List<double>();
        for (var e = bottom; e <= top; e += every)
        {
            positions.Add(Math.Pow(10, e));
            if (!between || e == top) continue;
            positions.Add(2 * Math.Pow(10, e));
            positions.Add(5 * Math.Pow(10, e));
        }
        var plain = bottom >= -3 && top <= 5;
        return new TickSet(Math.Pow(10, bottom), Math.Pow(10, top), positions, [.. positions.Select(p => plain ? NumberText.Short(p) : NumberText.Scientific(p, 0))]);
    }

    // A range of nothing, or one too narrow for its labels to differ in nine digits, is widened round its middle.
    private static (double Low, double High) Widened(double low, double high)
    {
        var size = Math.Max(Math.Abs(low), Math.Abs(high));
        if (size < Smallest) return (0, 1);
        if (low == high) return (low - size * 0.1, high + size * 0.1);
        var least = size * 1e-8;
        if (high - low >= least) return (low, high);
        var middle = low + (high - low) / 2;
        return (middle - least / 2, middle + least / 2);
    }

    private static string[] Labels(List<double> positions, int stepExponent)
    {
        var largest = positions.Max(Math.Abs);
        var largestExponent = (int)Math.Floor(Math.Log10(largest) + 1e-9);
        return largestExponent >= 6 || stepExponent < -4
            ? [.. positions.Select(p => p == 0 ? "0" : NumberText.Scientific(p, (int)Math.Floor(Math.Log10(Math.Abs(p)) + 1e-9) - stepExponent))]
            : [.. positions.Select(p => NumberText.Fixed(p, Math.Max(0, -stepExponent)))];
    }
}
