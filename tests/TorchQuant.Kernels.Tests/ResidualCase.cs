using TorchQuant.Kernels.Tests.Elementwise;

namespace TorchQuant.Kernels.Tests;

/// <summary>Codes that are added to those that a product or a convolution gives, whose parameters are <paramref name="Computed"/>.</summary>
internal sealed record ResidualCase(byte[] Codes, QParams Params, QParams Computed, QParams Sum, bool Relu)
{
    /// <summary>A scale of the sum that most sums fit; for every seventh seed one so small that sums leave int32, and for every fifth a range that is cut.</summary>
    public static ResidualCase Create(int length, QParams computed, int seed)
    {
        var random = new Random(seed);
        QParams added = Generators.QParams(seed + 1) with { Scale = computed.Scale * (float)Math.Exp(random.NextDouble() * 4 - 2) }, sum = Generators.QParams(seed + 2);
        sum = sum with { Scale = seed % 7 == 0 ? (computed.Scale + added.Scale) * 1e-9f : (computed.Scale + added.Scale) * (0.3f + (float)random.NextDouble()) };
        if (seed % 5 == 0)
            sum = sum with { Lowest = (byte)Math.Min(3, sum.ZeroPoint), Highest = (byte)Math.Max(200, sum.ZeroPoint) };
        return new(Generators.Activations(length, seed + 3), added, computed, sum, random.Next(2) == 0);
    }

    public Residual Residual => new(Codes, Params, Sum, Relu);

    /// <summary>What the addition makes of some codes.</summary>
    public byte[] Added(ReadOnlySpan<byte> computed)
    {
        byte[] sums = new byte[computed.Length];
        for (int i = 0; i < sums.Length; i++)
            sums[i] = Math.Clamp(CodeReference.Add(computed[i], Computed, Codes[i], Params, Sum, Relu), Sum.Lowest, Sum.Highest);
        return sums;
    }
}
