using TorchQuant.Modules;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Dynamic;

public class QuantizeDynamicTests
{
    [Fact]
    public void The_result_is_a_copy_in_eval_mode_and_the_model_stays_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var model = new TwoLevels();
        model.train();
        var modules = ModuleTree.Walk(model).Select(m => m.Module).ToList();
        var x = randn(7, 8);
        var expected = model.call(x);

        using var quantized = quantization.quantize_dynamic(model);

        Assert.NotSame(model, quantized);
        Assert.False(quantized.training);
        Assert.False(quantized.first.training);
        Assert.True(model.training);
        Assert.Equal(modules, ModuleTree.Walk(model).Select(m => m.Module));
        Assert.True(expected.Equals(model.call(x)));
        Assert.Equal(["first", "block.inner", "last"], ModuleTree.Walk(quantized).Where(m => m.Module is IQuantizedModule).Select(m => ((IQuantizedModule)m.Module).Path));
        Close(expected, quantized.call(x), 0.02);
        model.Dispose();
        Close(expected, quantized.call(x), 0.02);
    }

    [Fact]
    public void Inplace_changes_the_model_itself_and_returns_it()
    {
        using var scope = NewDisposeScope();
        using var model = new TwoLevels();
        var kept = model.first;
        var x = randn(7, 8);
        var expected = model.call(x);
        Assert.Same(model, quantization.quantize_dynamic(model, inplace: true));
        Assert.IsType<DynamicQuantizedLinear>(model.first);
        Assert.False(model.training);
        Close(expected, model.call(x), 0.02);
        // The float module is the user's: it still works.
        Assert.Equal([7L, 6L], kept.call(x).shape);
    }

    [Fact]
    public void A_factory_makes_the_copy_where_copying_is_impossible()
    {
        using var scope = NewDisposeScope();
        using var model = new TwoLevels();
        var x = randn(7, 8);
        using var copied = quantization.quantize_dynamic(model);
        using var made = quantization.quantize_dynamic(model, () => new TwoLevels());
        Assert.IsType<Linear>(model.first);
        Assert.True(copied.call(x).Equals(made.call(x)));
    }

    [Fact]
    public void A_factory_that_does_not_make_such_a_model_is_refused()
    {
        using var model = nn.Sequential(("a", nn.Linear(2, 3)), ("b", nn.ReLU()));
        Assert.Contains("the model itself", Refused(() => model), StringComparison.Ordinal);
        Assert.Contains("null", Refused(() => null!), StringComparison.Ordinal);
        Assert.Contains("b is Tanh instead of ReLU", Refused(() => nn.Sequential(("a", nn.Linear(2, 3)), ("b", nn.Tanh()))), StringComparison.Ordinal);
        Assert.Contains("a.weight is Float32 [4, 2] instead of Float32 [3, 2]", Refused(() => nn.Sequential(("a", nn.Linear(2, 4)), ("b", nn.ReLU()))), StringComparison.Ordinal);
        Assert.Contains("a.bias is missing", Refused(() => nn.Sequential(("a", nn.Linear(2, 3, hasBias: false)), ("b", nn.ReLU()))), StringComparison.Ordinal);

        string Refused(Func<Sequential> factory) => Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(model, factory)).Message;
    }

    [Fact]
    public void Null_means_no_spec_not_no_factory()
    {
        using var model = new TwoLevels();
        using var quantized = quantization.quantize_dynamic(model, null);
        Assert.IsType<DynamicQuantizedLinear>(quantized.first);
    }

    [Fact]
    public void Each_dtype_has_the_modules_that_PyTorch_gives_it()
    {
        using var model = new LanguageModel(20, 8, 6, 2);
        Check(qdtype.qint8, nameof(Embedding), nameof(DynamicQuantizedLSTM), nameof(DynamicQuantizedLinear));
        Check(qdtype.float16, nameof(Embedding), nameof(DynamicQuantizedLSTM), nameof(DynamicQuantizedLinear));
        Check(qdtype.quint8, nameof(QuantizedEmbedding), nameof(LSTM), nameof(Linear));

        using var bag = nn.ModuleList<nn.Module>(nn.EmbeddingBag(6, 4), nn.Embedding(6, 4), nn.GRU(3, 3), nn.LSTMCell(3, 3), nn.GRUCell(3, 3), nn.RNNCell(3, 3));
        using var int8 = quantization.quantize_dynamic(bag);
        Assert.Equal(
            ["EmbeddingBag", "Embedding", "DynamicQuantizedGRU", "DynamicQuantizedLSTMCell", "DynamicQuantizedGRUCell", "DynamicQuantizedRNNCell"], int8.Select(m => m.GetType().Name));
        using var bytes = quantization.quantize_dynamic(bag, dtype: qdtype.quint8);
        Assert.Equal(["QuantizedEmbeddingBag", "QuantizedEmbedding", "GRU"], bytes.Select(m => m.GetType().Name).Take(3));
        using var nibbles = quantization.quantize_dynamic(bag, dtype: qdtype.quint4x2);
        Assert.Equal(["QuantizedEmbeddingBag", "Embedding", "GRU"], nibbles.Select(m => m.GetType().Name).Take(3));

        void Check(qdtype dtype, params string[] expected)
        {
            using var quantized = quantization.quantize_dynamic(model, dtype: dtype);
            Assert.Equal(expected, new nn.Module[] { quantized.encoder, quantized.rnn, quantized.decoder }.Select(m => m.GetType().Name));
        }
    }

    [Fact]
    public void Other_dtypes_and_backends_are_refused_with_those_there_are()
    {
        using var model = new TwoLevels();
        Assert.Contains("qint8 and float16", Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(model, dtype: qdtype.qint32)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "native, fbgemm, x86, onednn, qnnpack", Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(model, backend: "FBGEMM")).Message, StringComparison.Ordinal);
        Assert.Contains("'tensorrt'", Assert.Throws<ArgumentException>(() => quantization.get_default_dynamic_qconfig("tensorrt")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("native", false, "per_channel_affine")]
    [InlineData("fbgemm", true, "per_tensor_affine")]
    [InlineData("x86", true, "per_tensor_affine")]
    [InlineData("onednn", true, "per_tensor_affine")]
    [InlineData("qnnpack", false, "per_tensor_affine")]
    public void A_backends_name_decides_range_and_granularity(string backend, bool reduceRange, string scheme)
    {
        using var model = new TwoLevels();
        using var quantized = quantization.quantize_dynamic(model, backend: backend);
        var linear = Assert.IsType<DynamicQuantizedLinear>(quantized.first);
        Assert.Equal(reduceRange ? "true" : "false", linear.Options["reduce_range"]);
        Assert.Equal(scheme, QConfigSpecTests.Precision(linear));
    }

    [Fact]
    public void A_lone_module_is_refused_with_the_mend()
    {
        using var linear = nn.Linear(3, 2);
        var message = Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(linear)).Message;
        Assert.Contains("The model is itself a Linear", message, StringComparison.Ordinal);
        Assert.Contains("nn.Sequential((\"0\", model))", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quantized_model_is_quantized_further_where_it_is_float_and_refused_where_nothing_is_left()
    {
        using var model = new LanguageModel(20, 8, 6, 1);
        using var first = quantization.quantize_dynamic(model, [typeof(Linear)]);
        using var second = quantization.quantize_dynamic(first);
        Assert.Equal(
            [nameof(Embedding), nameof(DynamicQuantizedLSTM), nameof(DynamicQuantizedLinear)], new nn.Module[] { second.encoder, second.rnn, second.decoder }.Select(m => m.GetType().Name));
        Assert.IsType<LSTM>(first.rnn);
        var message = Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(second)).Message;
        Assert.Contains("no module of the model is to be quantized", message, StringComparison.Ordinal);
        Assert.Contains("DynamicQuantizedLSTM (rnn)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_refusals_are_listed_at_once_and_the_model_is_untouched()
    {
        using var model = new Sealed();
        model.train();
        using (no_grad())
        {
            ((Linear)model.three).weight[1, 2] = float.NaN;
            ((Linear)model.three).weight[2, 2] = float.NegativeInfinity;
        }
        var modules = ModuleTree.Walk(model).ToList();
        foreach (var inplace in new[] { true, false })
        {
            var refused = Assert.Throws<ModuleReplacementException>(() => quantization.quantize_dynamic(model, inplace: inplace));
            Assert.Equal(3, refused.Refusals.Count);
            Assert.Contains(refused.Refusals, r => r.Contains("one", StringComparison.Ordinal) && r.Contains("declare it Module<Tensor, Tensor>", StringComparison.Ordinal));
            Assert.Contains(refused.Refusals, r => r.StartsWith("two: ", StringComparison.Ordinal));
            Assert.Contains(refused.Refusals, r => r.StartsWith("three.weight holds 2 NaN or infinite values of 16", StringComparison.Ordinal));
            Assert.Equal(modules, ModuleTree.Walk(model));
            Assert.True(model.training);
        }
    }

    [Fact]
    public void Fields_of_a_sealed_type_can_be_redirected_by_hooks()
    {
        using var scope = NewDisposeScope();
        using var model = new Sealed();
        var x = randn(5, 4);
        var expected = model.call(x);
        using var quantized = quantization.quantize_dynamic(model, hook_fallback: true);
        Assert.Equal(3, quantized.named_children().Count(c => c.module is DynamicQuantizedLinear));
        Close(expected, quantized.call(x), 0.05);
        Assert.False(expected.Equals(quantized.call(x)));
        Assert.True(expected.Equals(model.call(x)));
    }

    [Fact]
    public void A_qconfig_of_the_wrong_kind_is_refused_with_the_right_one()
    {
        using var model = new LanguageModel(20, 8, 6, 1);
        Assert.Contains("decoder.weight", Refused(new QConfigSpec { [typeof(Linear)] = quantization.float_qparams_weight_only_qconfig }), StringComparison.Ordinal);
        Assert.Contains("dtype: qdtype.quint8", Refused(new QConfigSpec { [typeof(Embedding)] = quantization.default_dynamic_qconfig }), StringComparison.Ordinal);
        var observed = new QConfig(MinMaxObserver.with_args(), MinMaxObserver.with_args(qdtype.qint8, qscheme.per_tensor_symmetric));
        Assert.Contains("PlaceholderObserver.with_args(dtype: qdtype.quint8, is_dynamic: true)", Refused(new QConfigSpec { [typeof(Linear)] = observed }), StringComparison.Ordinal);
        var columns = new QConfig(quantization.default_dynamic_qconfig.activation, PerChannelMinMaxObserver.with_args(1, qdtype.qint8, qscheme.per_channel_symmetric));
        Assert.Contains("ch_axis 1", Refused(new QConfigSpec { [typeof(Linear)] = columns }), StringComparison.Ordinal);

        string Refused(QConfigSpec spec) => Assert.Throws<ModuleReplacementException>(() => quantization.quantize_dynamic(model, spec)).Message;
    }

    [Fact]
    public void A_model_that_is_not_float32_is_refused_with_the_mend()
    {
        using var model = nn.Sequential(("a", nn.Linear(3, 3)), ("b", nn.Linear(3, 3))).to(ScalarType.Float64);
        var refused = Assert.Throws<ModuleReplacementException>(() => quantization.quantize_dynamic(model));
        Assert.Equal(2, refused.Refusals.Count);
        Assert.Contains("model.to(ScalarType.Float32)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mapping_decides_what_takes_the_place_of_what()
    {
        using var model = new TwoLevels();
        var paths = new List<string>();
        var mapping = new ModuleMapping
        {
            [typeof(Linear)] = (module, qconfig, path) =>
            {
                paths.Add(path);
                Assert.Same(quantization.get_default_dynamic_qconfig(), qconfig);
                return nn.Identity();
            },
        };
        using var quantized = quantization.quantize_dynamic(model, mapping: mapping);
        Assert.Equal(["first", "block.inner", "last"], paths);
        Assert.IsType<Identity>(quantized.last);
        Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(model, mapping: []));
        Assert.Throws<ModuleReplacementException>(() => quantization.quantize_dynamic(model, mapping: new ModuleMapping { [typeof(Linear)] = (_, _, _) => null! }));
        Assert.Throws<ArgumentException>(() => new ModuleMapping { [typeof(string)] = (_, _, _) => nn.Identity() });
        var extended = new ModuleMapping(ModuleMapping.Dynamic) { [typeof(ReLU)] = (_, _, _) => nn.Identity() };
        using var relu = quantization.quantize_dynamic(model, [typeof(ReLU), typeof(Linear)], mapping: extended);
        Assert.IsType<Identity>(relu.activation);
        Assert.IsType<DynamicQuantizedLinear>(relu.first);
    }

    [Fact]
    public void Tied_parameters_of_modules_that_stay_float_survive()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (nn.Linear(4, 4), nn.Linear(4, 4));
        b.weight = a.weight;
        using var model = nn.Sequential(("a", a), ("b", b));
        var x = randn(2, 4);
        using var quantized = quantization.quantize_dynamic(model, ["a"]);
        Assert.Equal([2L, 4L], quantized.call(x).shape);
        Assert.Equal([2L, 4L], model.call(x).shape);
    }

    [Fact]
    public void An_LSTM_without_bias_and_weights_of_zeros_are_quantized()
    {
        using var scope = NewDisposeScope();
        using var rnn = nn.ModuleList<nn.Module>(nn.LSTM(5, 4, bias: false));
        using var quantized = quantization.quantize_dynamic(rnn);
        Assert.IsType<DynamicQuantizedLSTM>(quantized[0]);

        using var zero = nn.Sequential(("fc", nn.Linear(5, 4)));
        using (no_grad())
            ((Linear)zero[0]).weight.zero_();
        using var zeros = quantization.quantize_dynamic(zero);
        Assert.True(((Linear)zero[0]).bias!.expand(3, 4).Equals(zeros.call(randn(3, 5))));
    }

    private static void Close(Tensor expected, Tensor actual, double tolerance) =>
        Assert.True((expected - actual).abs().max().item<float>() <= tolerance * expected.abs().max().item<float>(), $"{expected.str()}\n{actual.str()}");
}
