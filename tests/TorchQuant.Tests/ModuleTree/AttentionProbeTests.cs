using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.ModuleTrees;

/// <summary>The generator of torch is seeded, and it belongs to the whole process.</summary>
[Collection(nameof(Alone))]
public class AttentionProbeTests
{
    [Property(Arbitrary = [typeof(Options)], MaxTest = 60)]
    public void Every_option_is_found_and_the_module_is_as_it_was(AttentionCase options)
    {
        using var scope = NewDisposeScope();
        using var module = options.Module();
        module.train(options.Training);
        var before = module.named_parameters().Select(p => (p.name, p.parameter.clone())).ToList();
        var random = get_rng_state();
        var found = AttentionProbe.Of(module);
        Assert.Equal(
            (options.Embedding, options.Heads, options.Dropout, options.Bias, options.AddBiasKv, options.AddZeroAttn, options.KeySize ?? options.Embedding, options.KeySize ?? options.Embedding),
            (found.Embedding, found.Heads, found.Dropout, found.Bias, found.AddBiasKv, found.AddZeroAttn, found.KeySize, found.ValueSize));
        Assert.Equal(random, get_rng_state());
        Assert.Equal(options.Training, module.training);
        Assert.All(before, p => Assert.Equal(p.Item2, module.get_parameter(p.name)!));
    }

    [Property(Arbitrary = [typeof(Options)], MaxTest = 30)]
    public void A_copy_computes_the_same_and_is_its_own(AttentionCase options)
    {
        using var scope = NewDisposeScope();
        using var module = options.Module();
        using var copy = ModuleTree.Copy(module);
        Tensor q = rand(3, 2, options.Embedding, dtype: options.Type), k = rand(4, 2, options.KeySize ?? options.Embedding, dtype: options.Type);
        foreach (var training in new[] { false, true })
        {
            module.train(training);
            copy.train(training);
            manual_seed(7);
            var (output, weights) = module.call(q, k, k);
            manual_seed(7);
            var (output2, weights2) = copy.call(q, k, k);
            Assert.Equal(output, output2);
            Assert.Equal(weights, weights2);
        }

        Assert.Equal(module.named_parameters().Select(p => p.name), copy.named_parameters().Select(p => p.name));
        using (no_grad())
            module.get_parameter("out_proj.weight")!.zero_();
        module.eval();
        copy.eval();
        Assert.NotEqual(module.call(q, k, k).Item1, copy.call(q, k, k).Item1);
    }

    [Fact]
    public void What_the_weights_do_not_show_is_refused()
    {
        using var scope = NewDisposeScope();
        using var module = nn.MultiheadAttention(4, 2);
        using (no_grad())
            module.get_parameter("in_proj_weight")!.zero_();
        Assert.Contains("the number of heads", Assert.Throws<NotSupportedException>(() => AttentionProbe.Of(module)).Message, StringComparison.Ordinal);
        using var uneven = nn.MultiheadAttention(4, 2, kdim: 3, vdim: 5);
        Assert.Contains("keys of 3 and values of 5", Assert.Throws<NotSupportedException>(() => AttentionProbe.Of(uneven)).Message, StringComparison.Ordinal);
    }

    public sealed record AttentionCase(long Embedding, long Heads, double Dropout, bool Bias, bool AddBiasKv, bool AddZeroAttn, long? KeySize, bool Training, bool IsDouble)
    {
        public ScalarType Type => IsDouble ? ScalarType.Float64 : ScalarType.Float32;

        public MultiheadAttention Module() => nn.MultiheadAttention(Embedding, Heads, Dropout, Bias, AddBiasKv, AddZeroAttn, KeySize, KeySize).to(Type);
    }

    private static class Options
    {
        public static Arbitrary<AttentionCase> All() => (
            from size in Gen.Elements((1, 1), (2, 1), (2, 2), (6, 3), (12, 1), (12, 2), (12, 6), (12, 12), (64, 8), (96, 4))
            from dropout in Gen.Elements(0, 0.1, 0.25, 0.5, 0.003, 0.9, 1)
            from bias in Gen.Elements(true, false)
            from addBias in Gen.Elements(true, false)
            from addZero in Gen.Elements(true, false)
            from keys in Gen.Elements<long?>(null, 1, 5, 32)
            from training in Gen.Elements(true, false)
            from isDouble in Gen.Elements(true, false)
            select new AttentionCase(size.Item1, size.Item2, dropout, bias, addBias, addZero, keys, training, isDouble)).ToArbitrary();
    }
}
