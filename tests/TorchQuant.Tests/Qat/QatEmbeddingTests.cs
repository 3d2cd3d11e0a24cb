using TorchQuant.Modules;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>Tables of embeddings in quantization-aware training.</summary>
public class QatEmbeddingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_trained_is_what_is_converted(bool fourBits)
    {
        using var scope = NewDisposeScope();
        using var model = Net.Prepared(fourBits);
        Assert.IsType<QatEmbedding>(model.words);
        Assert.IsType<QatEmbeddingBag>(model.bags);
        Train(model, steps: 5);
        model.eval();
        model.apply(quantization.disable_observer);
        using var int8 = quantization.convert(model);
        Assert.IsType<QuantizedEmbedding>(int8.words);
        Assert.IsType<QuantizedEmbeddingBag>(int8.bags);
        var indices = Indices(3);
        Assert.Equal(model.words.call(indices), int8.words.call(indices));
        Assert.Equal(model.bags.call(indices, null, null), int8.bags.call(indices, null, null));
        Assert.NotEqual(((QatEmbedding)model.words).module.call(indices), model.words.call(indices));
        Assert.InRange((model.call(indices) - int8.call(indices)).abs().max().item<float>(), 0, 1.01f * ((QuantizedLinear)int8.fc).scale);
    }

    [Fact]
    public void Gradients_pass_straight_through()
    {
        using var scope = NewDisposeScope();
        using var model = Net.Prepared(fourBits: true);
        var indices = Indices(4);
        var weights = randn(8, 5, 6);
        var parameter = model.words.parameters().First();
        (model.words.call(indices) * weights).sum().backward();
        var actual = parameter.grad!.clone();
        model.zero_grad();
        (((QatEmbedding)model.words).module.call(indices) * weights).sum().backward();
        Assert.Equal(parameter.grad!, actual);

        var table = model.bags.parameters().First();
        var perBag = randn(8, 6);
        (model.bags.call(indices, null, null) * perBag).sum().backward();
        actual = table.grad!.clone();
        model.zero_grad();
        (((QatEmbeddingBag)model.bags).module.call(indices) * perBag).sum().backward();
        Assert.Equal(table.grad!, actual);
    }

    [Theory]
    [InlineData(EmbeddingBagMode.Sum, false)]
    [InlineData(EmbeddingBagMode.Mean, true)]
    [InlineData(EmbeddingBagMode.Max, true)]
    public void Only_the_rows_that_are_looked_up_are_moved(EmbeddingBagMode mode, bool narrow)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(5);
        using var table = nn.EmbeddingBag(50, 6, mode: mode, include_last_offset: true, padding_index: 7);
        using var bags = QatEmbeddingBag.from_float(table, quantization.default_embedding_qat_qconfig);
        var indices = randint(0, 20, [40], generator: random, dtype: narrow ? ScalarType.Int32 : ScalarType.Int64); // 7 among them
        var offsets = tensor([0L, 3, 3, 17, 40]).to(indices.dtype);
        var weights = mode == EmbeddingBagMode.Sum ? randn([40], generator: random) : null;
        using var whole = QuantizedEmbeddingBag.from_float(table, quantization.float_qparams_weight_only_qconfig);
        Assert.Equal(whole.call(indices, offsets, weights), bags.call(indices, offsets, weights));
        var factors = randn([4, 6], generator: random);
        (table.call(indices, offsets, weights) * factors).sum().backward();
        var gradient = table.weight!.grad!.clone();
        table.zero_grad();
        (bags.call(indices, offsets, weights) * factors).sum().backward();
        Assert.Equal(gradient, table.weight!.grad!);

        var before = bags.call(indices, offsets, weights);
        using (no_grad())
            table.weight![45].fill_(float.NaN); // not looked up
        Assert.Equal(before, bags.call(indices, offsets, weights));
        using (no_grad())
            table.weight![indices[0].to(ScalarType.Int64).item<long>()].fill_(float.NaN);
        Assert.ThrowsAny<ArgumentException>(() => bags.call(indices, offsets, weights));
    }

    [Fact]
    public void Names_and_parameters_stay_and_a_checkpoint_comes_back()
    {
        using var scope = NewDisposeScope();
        using var plain = new Net();
        var before = plain.named_parameters().Select(p => (p.name, p.parameter.Handle)).ToList();
        var state = plain.state_dict().Keys.ToHashSet();
        Net.Prepare(plain, fourBits: false);
        Assert.Equal(before, plain.named_parameters().Select(p => (p.name, p.parameter.Handle)));
        Assert.Superset(state, plain.state_dict().Keys.ToHashSet());
        Assert.Contains("words.weight_fake_quant.fake_quant_enabled", plain.state_dict().Keys);
        Train(plain, steps: 3);
        plain.words.apply(quantization.disable_fake_quant);
        plain.eval();
        using var loaded = Net.Prepared(fourBits: false);
        loaded.load_state_dict(plain.state_dict());
        loaded.eval();
        Assert.False(((QatEmbedding)loaded.words).weight_fake_quant.is_fake_quant_enabled);
        Assert.Equal(plain.words.call(Indices(1)), loaded.words.call(Indices(1)));
    }

    [Fact]
    public void A_table_with_the_qconfig_of_layers_is_refused_with_the_mend()
    {
        using var model = new Net();
        var refused = Assert.Throws<ModuleReplacementException>(() => quantization.prepare_qat(model, quantization.get_default_qat_qconfig()));
        Assert.Equal(2, refused.Refusals.Count);
        Assert.Contains("model.words.qconfig = quantization.default_embedding_qat_qconfig, or null", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_that_trains_in_float_is_quantized_at_the_end()
    {
        using var scope = NewDisposeScope();
        using var model = new Net();
        model.words.qconfig = quantization.float_qparams_weight_only_qconfig;
        model.bags.qconfig = null;
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        Assert.IsType<Embedding>(model.words);
        Train(model, steps: 1);
        using var int8 = quantization.convert(model);
        Assert.IsType<QuantizedEmbedding>(int8.words);
        Assert.IsType<EmbeddingBag>(int8.bags);
    }

    private static Tensor Indices(int seed)
    {
        using var random = new Generator((ulong)seed);
        return randint(0, 20, [8, 5], generator: random);
    }

    private static void Train(Net model, int steps)
    {
        using var optimizer = optim.SGD(model.parameters(), 0.05);
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            model.call(Indices(step)).pow(2).mean().backward();
            optimizer.step();
        }
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        public nn.Module<Tensor, Tensor> words = nn.Embedding(20, 6, padding_idx: 3);
        public nn.Module<Tensor, Tensor?, Tensor?, Tensor> bags = nn.EmbeddingBag(20, 6, mode: EmbeddingBagMode.Mean);
        public QuantStub quant = new();
        public nn.Module<Tensor, Tensor> fc = nn.Linear(12, 4);
        public DeQuantStub dequant = new();

        public Net() : base(nameof(Net)) => RegisterComponents();

        public static Net Prepared(bool fourBits) => Prepare(new Net(), fourBits);

        public static Net Prepare(Net model, bool fourBits)
        {
            model.qconfig = quantization.get_default_qat_qconfig();
            model.words.qconfig = model.bags.qconfig = fourBits ? quantization.default_embedding_qat_qconfig_4bit : quantization.default_embedding_qat_qconfig;
            return quantization.prepare_qat(model, inplace: true);
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var features = cat([words.call(input).mean([1L]), bags.call(input, null, null)], 1);
            return dequant.call(fc.call(quant.call(features))).MoveToOuterDisposeScope();
        }
    }
}
