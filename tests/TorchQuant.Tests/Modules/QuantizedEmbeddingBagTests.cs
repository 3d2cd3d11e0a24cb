using TorchQuant.Modules;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

public class QuantizedEmbeddingBagTests
{
    private static readonly QConfig Bytes = quantization.float_qparams_weight_only_qconfig;
    private static readonly QConfig Nibbles = quantization.float_qparams_weight_only_qconfig_4bit;

    public static IEnumerable<TheoryDataRow<EmbeddingBagMode, bool, long, int>> Options =>
        from mode in Enum.GetValues<EmbeddingBagMode>()
        from includeLastOffset in new[] { false, true }
        from padding in new[] { -1L, 0L, 3L }
        from bits in new[] { 8, 4 }
        select new TheoryDataRow<EmbeddingBagMode, bool, long, int>(mode, includeLastOffset, padding, bits);

    [Theory]
    [MemberData(nameof(Options))]
    public void Bags_are_those_of_the_float_module_with_the_quantized_table(EmbeddingBagMode mode, bool includeLastOffset, long padding, int bits)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(8);
        using var bag = nn.EmbeddingBag(12, 6, mode: mode, include_last_offset: includeLastOffset, padding_index: padding);
        using (no_grad())
            bag.weight!.copy_(randn(12, 6, generator: random));
        using var module = QuantizedEmbeddingBag.from_float(bag, bits == 8 ? Bytes : Nibbles);
        Assert.Equal((mode.ToString().ToLowerInvariant(), includeLastOffset, padding), (module.mode, module.include_last_offset, module.padding_idx));
        var input = tensor([3L, 0, 5, 5, 11, 3, 0, 7, 2]);
        var offsets = tensor([0L, 3, 3, 5, 9]);
        var flat = module.call(input, offsets);
        var rows = includeLastOffset ? null : module.call(input.reshape(3, 3));
        // The float module, now with the quantized table as its weight, is the reference.
        using (no_grad())
            bag.weight!.copy_(QuantizedEmbeddingTests.Reference(bag.weight!.detach(), bits).Rows);
        Close(bag.call(input, offsets), flat);
        if (rows is not null)
            Close(bag.call(input.reshape(3, 3)), rows);
        else
            Assert.Contains("has include_last_offset and was given a 2-D input", Assert.Throws<ArgumentException>(() => { module.call(input.reshape(3, 3)); }).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void Per_sample_weights_are_factors_of_the_rows_in_mode_sum(int bits)
    {
        using var scope = NewDisposeScope();
        using var bag = nn.EmbeddingBag(12, 6, mode: EmbeddingBagMode.Sum);
        using var module = QuantizedEmbeddingBag.from_float(bag, bits == 8 ? Bytes : Nibbles);
        var (input, offsets, weights) = (tensor([3L, 0, 5, 5]), tensor([0L, 1]), tensor([0.5f, -2, 3, 0]));
        var flat = module.call(input, offsets, weights);
        var rows = module.call(input.reshape(2, 2), null, weights.reshape(2, 2));
        using (no_grad())
            bag.weight!.copy_(QuantizedEmbeddingTests.Reference(bag.weight!.detach(), bits).Rows);
        Close(bag.call(input, offsets, weights), flat);
        Close(bag.call(input.reshape(2, 2), null, weights.reshape(2, 2)), rows);
    }

    [Fact]
    public void Int32_indices_and_offsets_give_the_same_bags()
    {
        using var scope = NewDisposeScope();
        using var bag = nn.EmbeddingBag(12, 6);
        using var module = QuantizedEmbeddingBag.from_float(bag, Bytes);
        Assert.True(module.call(tensor([3L, 0, 5]), tensor([0L, 2])).Equals(module.call(tensor([3, 0, 5]), tensor([0, 2]))));
        Assert.Equal([0L, 6L], module.call(zeros(0, dtype: ScalarType.Int64), zeros(0, dtype: ScalarType.Int64)).shape);
    }

    [Fact]
    public void Wrong_inputs_are_refused_with_the_modules_name()
    {
        using var scope = NewDisposeScope();
        using var bag = nn.EmbeddingBag(12, 6);
        using var module = QuantizedEmbeddingBag.from_float(bag, Nibbles, "words");
        var input = tensor([3L, 0, 5]);
        Assert.Contains("words (QuantizedEmbeddingBag) takes a 1-D input with offsets or a 2-D input without", Refused(() => module.call(input)), StringComparison.Ordinal);
        Assert.Contains("[1, 3] with offsets", Refused(() => module.call(input.unsqueeze(0), tensor([0L]))), StringComparison.Ordinal);
        Assert.Contains("words (QuantizedEmbeddingBag): ", Refused(() => module.call(tensor([3L, 12]), tensor([0L]))), StringComparison.Ordinal);
        Assert.Contains("words (QuantizedEmbeddingBag): ", Refused(() => module.call(input, tensor([0L, 4]))), StringComparison.Ordinal);
        Assert.Contains("Sum only", Refused(() => module.call(input, tensor([0L]), ones(3))), StringComparison.Ordinal);
        Assert.Contains("of the input's shape [3], found Float32 [2]", Refused(() => module.call(input, tensor([0L]), ones(2))), StringComparison.Ordinal);

        static string Refused(Func<Tensor> call) => Assert.ThrowsAny<ArgumentException>(() => { call(); }).Message;
    }

    [Fact]
    public void It_stores_what_PyTorch_stores_and_prints_its_mode()
    {
        using var bag = nn.EmbeddingBag(100, 34, mode: EmbeddingBagMode.Sum);
        using var nibbles = QuantizedEmbeddingBag.from_float(bag, Nibbles);
        Assert.Equal(100 * (17 + 4), nibbles.WeightBytes);
        Assert.Equal("QuantizedEmbeddingBag(num_embeddings=100, embedding_dim=34, dtype=quint4x2, qscheme=per_channel_affine_float_qparams, mode=sum)", nibbles.ToString());
    }

    [Fact]
    public void What_is_rebuilt_from_its_state_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var bag = nn.EmbeddingBag(12, 5, mode: EmbeddingBagMode.Max, include_last_offset: true, padding_index: 4);
        using var module = QuantizedEmbeddingBag.from_float(bag, Nibbles);
        var state = module.ExportState().ToDictionary();
        using var again = (QuantizedEmbeddingBag)QuantizedModules.Create(module.Kind, module.Options, state, "bag");
        var (input, offsets) = (tensor([3L, 4, 5, 4]), tensor([0L, 1, 3, 4]));
        Assert.True(module.call(input, offsets).Equals(again.call(input, offsets)));
        Assert.Equal(module.Options, again.Options);
        var options = new Dictionary<string, string>(module.Options) { ["mode"] = "median" };
        Assert.Contains("expected sum, mean or max", Refused(), StringComparison.Ordinal);
        options["mode"] = "sum";
        options["padding_idx"] = "12";
        Assert.Contains("the table has 12 rows", Refused(), StringComparison.Ordinal);

        string Refused() => Assert.Throws<ArgumentException>(() => { QuantizedModules.Create(module.Kind, options, state, "bag"); }).Message;
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((expected - actual).abs().max().item<float>() <= 1e-5f);
    }
}
