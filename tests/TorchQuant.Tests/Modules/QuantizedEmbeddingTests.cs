using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

public class QuantizedEmbeddingTests
{
    private static readonly QConfig Bytes = quantization.float_qparams_weight_only_qconfig;
    private static readonly QConfig Nibbles = quantization.float_qparams_weight_only_qconfig_4bit;

    [Theory]
    [InlineData(8, 1, 1)]
    [InlineData(8, 50, 33)]
    [InlineData(4, 50, 32)]
    [InlineData(4, 7, 5)]
    public void Looked_up_rows_are_the_quantized_rows(int bits, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(5);
        using var embedding = nn.Embedding(rows, columns);
        using (no_grad())
            embedding.weight!.copy_(randn(rows, columns, generator: random) * 3 + 1);
        using var module = QuantizedEmbedding.from_float(embedding, bits == 8 ? Bytes : Nibbles);
        var indices = randint(0, rows, [4, 6], dtype: ScalarType.Int64, generator: random);
        var (expected, step) = Reference(embedding.weight!.detach(), bits);

        var actual = module.call(indices);

        Assert.Equal([4L, 6L, columns], actual.shape);
        var looked = expected.index_select(0, indices.flatten()).reshape(4, 6, columns);
        Assert.True((looked - actual).abs().max().item<float>() <= 2e-6f * looked.abs().max().item<float>());
        var error = (embedding.call(indices) - actual).abs().max().item<float>();
        Assert.True(error <= (0.5001f * step) + (bits == 4 ? 0.01f : 1e-5f), $"{error} with a step of {step}");
    }

    [Fact]
    public void Int32_indices_of_any_shape_and_none_at_all_are_looked_up()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(9, 4);
        using var module = QuantizedEmbedding.from_float(embedding, Bytes);
        Assert.True(module.call(tensor([3L, 8L])).Equals(module.call(tensor([3, 8]))));
        Assert.Equal([4L], module.call(tensor(3L)).shape);
        Assert.Equal([0L, 4L], module.call(zeros(0, dtype: ScalarType.Int64)).shape);
        Assert.True(module.call(arange(6, dtype: ScalarType.Int64).reshape(2, 3).t()).Equals(module.call(tensor(new long[,] { { 0, 3 }, { 1, 4 }, { 2, 5 } }))));
    }

    [Fact]
    public void A_padding_row_stays_exactly_zero_and_a_constant_row_exactly_itself()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(6, 4, padding_idx: 2);
        using (no_grad())
            embedding.weight![4].fill_(0.7f);
        using var module = QuantizedEmbedding.from_float(embedding, Bytes);
        Assert.Equal([0f, 0f, 0f, 0f, 0.7f, 0.7f, 0.7f, 0.7f], module.call(tensor([2L, 4L])).data<float>().ToArray());
    }

    [Fact]
    public void Max_norm_shortens_the_rows_once()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(6, 4, max_norm: 0.5);
        var before = embedding.weight!.detach().clone();
        using var module = QuantizedEmbedding.from_float(embedding, Bytes);
        Assert.True(before.Equals(embedding.weight!));
        var all = arange(6, dtype: ScalarType.Int64);
        var quantized = module.call(all);
        var expected = embedding.call(all);
        Assert.True((expected - quantized).abs().max().item<float>() < 0.01f);
        Assert.True(quantized.norm(1).max().item<float>() < 0.51f);
    }

    [Fact]
    public void It_stores_what_PyTorch_stores_and_prints_as_PyTorch_prints()
    {
        using var embedding = nn.Embedding(100, 34);
        using var bytes = QuantizedEmbedding.from_float(embedding, Bytes);
        using var nibbles = QuantizedEmbedding.from_float(embedding, Nibbles);
        Assert.Equal(100 * (34 + 8), bytes.WeightBytes);
        Assert.Equal(100 * (17 + 4), nibbles.WeightBytes);
        Assert.Equal(bytes.WeightBytes, bytes.state_dict().Values.Sum(t => t.numel() * t.element_size()));
        Assert.Equal(nibbles.WeightBytes, nibbles.state_dict().Values.Sum(t => t.numel() * t.element_size()));
        Assert.Equal("QuantizedEmbedding(num_embeddings=100, embedding_dim=34, dtype=quint8, qscheme=per_channel_affine_float_qparams)", bytes.ToString());
        Assert.Equal("QuantizedEmbedding(num_embeddings=100, embedding_dim=34, dtype=quint4x2, qscheme=per_channel_affine_float_qparams)", nibbles.ToString());
    }

    [Theory]
    [InlineData(8, 6)]
    [InlineData(4, 6)]
    [InlineData(4, 5)]
    public void What_is_rebuilt_from_its_state_or_loaded_gives_the_same_bits(int bits, int columns)
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(20, columns);
        using var module = QuantizedEmbedding.from_float(embedding, bits == 8 ? Bytes : Nibbles);
        var all = arange(20, dtype: ScalarType.Int64);
        var expected = module.call(all);
        using var again = (QuantizedEmbedding)QuantizedModules.Create(module.Kind, module.Options, module.ExportState().ToDictionary(), "e");
        Assert.True(expected.Equals(again.call(all)));
        using var other = nn.Embedding(20, columns);
        using var loaded = QuantizedEmbedding.from_float(other, bits == 8 ? Bytes : Nibbles);
        Assert.False(expected.Equals(loaded.call(all)));
        loaded.load_state_dict(module.state_dict());
        Assert.True(expected.Equals(loaded.call(all)));
    }

    [Fact]
    public void Wrong_inputs_and_states_are_refused_with_the_modules_name()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(9, 4);
        using var module = QuantizedEmbedding.from_float(embedding, Bytes, "encoder");
        Assert.Contains("encoder (QuantizedEmbedding): ", Refused(tensor([3L, 9L])), StringComparison.Ordinal);
        Assert.Contains("index 9", Refused(tensor([3L, 9L])), StringComparison.Ordinal);
        Assert.Contains("takes int64 or int32 indices, found Float32", Refused(ones(2)), StringComparison.Ordinal);
        var state = module.ExportState().ToDictionary();
        var options = new Dictionary<string, string>(module.Options) { ["bits"] = "7" };
        Assert.Contains("encoder: the option bits is 7", Create(options, state), StringComparison.Ordinal);
        options["bits"] = "4";
        Assert.Contains("encoder.weight is Byte [9, 4]; expected Byte [rows, 2]", Create(options, state), StringComparison.Ordinal);

        string Refused(Tensor x) => Assert.Throws<ArgumentException>(() => { module.call(x); }).Message;
        string Create(Dictionary<string, string> o, Dictionary<string, Tensor> s) => Assert.Throws<ArgumentException>(() => { QuantizedModules.Create(module.Kind, o, s, "encoder"); }).Message;
    }

    [Fact]
    public void Tables_that_cannot_be_quantized_are_refused_with_the_weights_path()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(9, 4);
        Assert.Contains("encoder.weight: the qconfig's weight observer is MinMaxObserver", Refused(quantization.default_dynamic_qconfig), StringComparison.Ordinal);
        using (no_grad())
            embedding.weight![3, 1] = 1e6f;
        Assert.Contains("row 3 has values beyond 65504", Refused(Nibbles, low: -1e6f), StringComparison.Ordinal);
        using (no_grad())
            embedding.weight![3, 1] = float.NaN;
        Assert.Contains("encoder.weight holds 1 NaN or infinite values of 36", Refused(Bytes), StringComparison.Ordinal);

        string Refused(QConfig qconfig, float? low = null)
        {
            if (low is { } value)
                using (no_grad())
                    embedding.weight![3, 0] = value;
            return Assert.Throws<ArgumentException>(() => { QuantizedEmbedding.from_float(embedding, qconfig, "encoder"); }).Message;
        }
    }

    /// <summary>PyTorch's per-row quantization with float qparams, in tensor operations, and the largest step.</summary>
    internal static (Tensor Rows, float Step) Reference(Tensor weight, int bits)
    {
        var top = bits == 8 ? 255 : 15;
        var low = weight.amin([1L], keepdim: true);
        var scale = (weight.amax([1L], keepdim: true) - low) / top;
        scale = where(scale > 1.1920929e-07f, scale, ones_like(scale));
        var codes = ((weight * (1 / scale)) + (-low / scale)).round().clamp(0, top);
        var step = scale.max().item<float>();
        return bits == 8
            ? ((codes - (-low / scale)) * scale, step)
            : ((codes * scale.to(ScalarType.Float16).to(ScalarType.Float32)) + low.to(ScalarType.Float16).to(ScalarType.Float32), step);
    }
}
