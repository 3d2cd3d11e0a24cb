using System.Globalization;
using System.Runtime.CompilerServices;
using TorchQuant.Modules;
using TorchQuant.Tests.Modules.Static;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

/// <summary>The archives of Oracles/make_quantizable.py: PyTorch's own static LSTM and attention, computed by FBGEMM.</summary>
public class QuantizableOracleTests
{
    [Theory]
    [InlineData("static_lstm.pt", false)]
    [InlineData("static_lstm_bidirectional.pt", true)]
    public void Every_code_of_the_LSTM_is_that_of_PyTorch(string name, bool bidirectional)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(5);
        using var archive = Load(name);
        using var lstm = (QuantizedLSTM)QuantizedModules.Create(nameof(QuantizedLSTM), new Dictionary<string, string>
        {
            ["input_size"] = "16",
            ["hidden_size"] = "32",
            ["bias"] = "true",
            ["num_layers"] = "2",
            ["batch_first"] = bidirectional ? "true" : "false",
            ["bidirectional"] = bidirectional ? "true" : "false",
        }, StateOf(archive), "");
        for (var i = 0; i < 5; i++)
        {
            var x = quantize_per_tensor(randn(4, 8, 16, generator: random) * 2, 0.03, 120, ScalarType.QUInt8);
            var (batch, rows) = bidirectional ? (4, 4) : (8, 2);
            Same(archive.call(x), lstm.call(x));
            var h = quantize_per_tensor(randn(rows, batch, 32, generator: random), 0.01, 100, ScalarType.QUInt8);
            var c = quantize_per_tensor(randn(rows, batch, 32, generator: random), 0.02, 140, ScalarType.QUInt8);
            Same(archive.invoke("from_states", x, h, c), lstm.call(x, (h, c)));
        }
    }

    [Theory]
    [InlineData("static_attention.pt", false)]
    [InlineData("static_attention_bias.pt", true)]
    public void Every_code_of_the_attention_is_that_of_PyTorch(string name, bool biased)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(6);
        using var archive = Load(name);
        var sizes = biased ? 16 : 32;
        using var attention = (QuantizedMultiheadAttention)QuantizedModules.Create(nameof(QuantizedMultiheadAttention), new Dictionary<string, string>
        {
            ["embed_dim"] = "32",
            ["num_heads"] = "4",
            ["bias"] = "true",
            ["add_bias_kv"] = biased ? "true" : "false",
            ["add_zero_attn"] = biased ? "true" : "false",
            ["kdim"] = sizes.ToString(CultureInfo.InvariantCulture),
            ["vdim"] = sizes.ToString(CultureInfo.InvariantCulture),
        }, StateOf(archive), "");
        for (var i = 0; i < 5; i++)
        {
            var q = quantize_per_tensor(randn(5, 2, 32, generator: random), 0.03, 120, ScalarType.QUInt8);
            var k = quantize_per_tensor(randn(6, 2, sizes, generator: random), 0.02, 130, ScalarType.QUInt8);
            var v = quantize_per_tensor(randn(6, 2, sizes, generator: random), 0.025, 128, ScalarType.QUInt8);
            var mask = zeros(5, 6).masked_fill(rand(5, 6, generator: random) > 0.8, -4);
            var (output, weights) = attention.call(q, k, v, attn_mask: mask);
            Same(archive.call(q, k, v, mask), (output, weights));
        }
    }

    private static void Same(object expected, ITuple actual)
    {
        var tuple = Assert.IsAssignableFrom<ITuple>(expected);
        Assert.Equal(tuple.Length, actual.Length);
        for (var i = 0; i < tuple.Length; i++)
        {
            var (theirs, ours) = ((Tensor)tuple[i]!, (Tensor)actual[i]!);
            Assert.Equal((float)theirs.q_scale(), (float)ours.q_scale());
            Assert.Equal(theirs.q_zero_point(), ours.q_zero_point());
            Assert.Equal(theirs.int_repr(), ours.int_repr());
        }
    }

    private static jit.ScriptModule Load(string name, [CallerFilePath] string source = "")
    {
        StaticOracle.Load().Dispose(); // chooses FBGEMM
        return jit.load(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "Oracles", name));
    }

    /// <summary>The buffers that hold the state, with the dots in their names.</summary>
    private static Dictionary<string, Tensor> StateOf(jit.ScriptModule archive) => archive.named_buffers()
        .Where(buffer => buffer.name.StartsWith("state__", StringComparison.Ordinal))
        .ToDictionary(buffer => buffer.name["state__".Length..].Replace("__", ".", StringComparison.Ordinal), buffer => buffer.buffer, StringComparer.Ordinal);
}
