using FsCheck;
using FsCheck.Fluent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

/// <summary>How attention is masked.</summary>
public enum Masking { None, Infinite, Added, EveryHead }

/// <summary>A MultiheadAttention with inputs and masks; the numbers follow from the seed alone.</summary>
public sealed record AttentionCase(
    int Seed, long Embedding, long Heads, bool Bias, bool AddBiasKv, bool AddZeroAttn, long? KeySize, int Queries, int Keys, int Batch, Masking Masking, bool Padded)
{
    public MultiheadAttention Module()
    {
        var module = nn.MultiheadAttention(Embedding, Heads, 0.1, Bias, AddBiasKv, AddZeroAttn, KeySize, KeySize);
        using var off = no_grad();
        using var scope = NewDisposeScope();
        module.eval();
        var which = 20;
        foreach (var (_, parameter) in module.named_parameters())
            parameter.copy_(Values(which++, parameter.shape) * (parameter.dim() == 2 ? 1 / Math.Sqrt(Embedding) : 1));
        return module;
    }

    public (Tensor Query, Tensor Key, Tensor Value) Inputs() =>
        (Values(1, Queries, Batch, Embedding), Values(2, Keys, Batch, KeySize ?? Embedding), Values(3, Keys, Batch, KeySize ?? Embedding));

    /// <summary>Every query has a key to look at.</summary>
    public Tensor? Mask()
    {
        var shape = Masking == Masking.EveryHead ? new[] { Batch * Heads, Queries, Keys } : [Queries, Keys];
        var values = Values(4, shape);
        if (Masking is Masking.None or Masking.Added)
            return Masking == Masking.None ? null : values * 3;
        values[TensorIndex.Ellipsis, 0] = -1;
        return zeros(shape).masked_fill(values > 0.5f, double.NegativeInfinity);
    }

    public Tensor? Padding()
    {
        if (!Padded)
            return null;
        var values = Values(5, Batch, Keys);
        values[TensorIndex.Ellipsis, 0] = -1;
        return values > 0.5f;
    }

    private Tensor Values(int which, params long[] shape)
    {
        var random = new Random(unchecked(Seed * 397 ^ which * 7919));
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() * 3 - 1.5f;
        return tensor(values, shape);
    }
}

/// <summary>Small cases of every option.</summary>
public static class AttentionCases
{
    public static Arbitrary<AttentionCase> All() => (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from size in Gen.Elements((1, 1), (4, 1), (6, 2), (12, 4), (16, 2), (10, 10))
        from bias in Gen.Elements(true, false)
        from addBias in Gen.Elements(true, false)
        from addZero in Gen.Elements(true, false)
        from keySize in Gen.Elements<long?>(null, 5, 7)
        from queries in Gen.Choose(1, 5)
        from keys in Gen.Choose(1, 6)
        from batch in Gen.Choose(1, 3)
        from masking in Gen.Elements(Enum.GetValues<Masking>())
        from padded in Gen.Elements(true, false)
        select new AttentionCase(seed, size.Item1, size.Item2, bias, addBias, addZero, keySize, queries, keys, batch, masking, padded)).ToArbitrary();
}
