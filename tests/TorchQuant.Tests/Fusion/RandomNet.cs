using FsCheck;
using FsCheck.Fluent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Fusion;

/// <summary>Blocks one after the other; the numbers follow from the seed alone.</summary>
public sealed record RandomNet(int Seed, IReadOnlyList<BlockSpec> Blocks)
{
    public Sequential Model()
    {
        var model = nn.Sequential([.. Blocks.Select((b, i) => ($"{i}", (nn.Module<Tensor, Tensor>)new WiredBlock(b)))]);
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var random = new Random(Seed);
        foreach (var (_, module) in ModuleTree.Walk(model))
        {
            module.eval(); // an array of modules is not registered
            foreach (var (_, parameter) in module.named_parameters(false)) parameter.copy_(Values(random, -0.5, 0.5, parameter.shape));
            foreach (var (name, buffer) in module.named_buffers(false))
                if (buffer.numel() > 1) buffer.copy_(Values(random, name.EndsWith("var", StringComparison.Ordinal) ? 0.2 : -0.5, 1, buffer.shape));
        }

        return model;
    }

    public Tensor Input() => Values(new Random(Seed ^ 77), -2, 2, [2, 3, 5, 4]);

    /// <summary>The rows that a report must have.</summary>
    public string[] Rows(Func<BlockSpec, string[][]> rows) => [.. Blocks.SelectMany((b, i) => rows(b).Select(row => string.Join(", ", row.Select(name => $"{i}.{b.Path(name)}"))))];

    public override string ToString() => $"{Seed}: {string.Join("; ", Blocks)}";

    private static Tensor Values(Random random, double low, double high, long[] shape)
    {
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++) values[i] = low + (random.NextDouble() * (high - low));
        return tensor(values, shape, dtype: ScalarType.Float64);
    }
}

/// <summary>Nets of up to six blocks of every wiring.</summary>
public static class RandomNets
{
    public static Arbitrary<RandomNet> All() => (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from length in Gen.Choose(1, 6)
        from blocks in Gen.ArrayOf(
            from wiring in Gen.Elements(Enum.GetValues<Wiring>())
            from norm in Gen.Elements(true, false)
            from activation in Gen.Elements(Enum.GetValues<After>())
            from inPlace in Gen.Elements(true, false)
            select new BlockSpec(wiring, norm, activation, inPlace).Complete(), length)
        select new RandomNet(seed, blocks)).ToArbitrary();
}
