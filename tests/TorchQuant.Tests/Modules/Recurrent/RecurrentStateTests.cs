using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>What a recurrent module exports, and that it can be rebuilt from it to the bit.</summary>
public class RecurrentStateTests
{
    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 40)]
    public void A_module_rebuilt_from_its_state_computes_the_same_bits(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        foreach (var original in All(sample))
        {
            var state = original.ExportState();
            using var rebuilt = QuantizedModules.Create(original.Kind, original.Options, state.ToDictionary(entry => entry.Key, entry => entry.Value), "rebuilt");
            Assert.Equal(original.GetType(), rebuilt.GetType());
            Assert.Equal(original.ToString(), rebuilt.ToString());
            Assert.Equal(original.Options, ((IQuantizedModule)rebuilt).Options);
            Assert.Equal(Bits(original, sample), Bits((IQuantizedModule)rebuilt, sample));
            Assert.Equal(original.WeightBytes, state.Sum(entry => entry.Value.numel() * entry.Value.element_size()));
            foreach (var (_, tensor) in state)
                tensor.Dispose();
            ((nn.Module)original).Dispose();
        }
    }

    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 40)]
    public void The_state_of_one_module_loads_into_another(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        foreach (var (from, to) in All(sample).Zip(All(sample with { Seed = sample.Seed + 1 })))
        {
            var expected = Bits(from, sample);
            ((nn.Module)to).load_state_dict(((nn.Module)from).state_dict());
            Assert.Equal(expected, Bits(to, sample));
            Assert.Equal(expected, Bits(from, sample));
            ((nn.Module)from).Dispose();
            ((nn.Module)to).Dispose();
        }
    }

    [Fact]
    public void Names_types_and_shapes_are_those_of_pytorch_s_layers()
    {
        using var module = DynamicQuantizedLSTM.from_float(nn.LSTM(5, 3, 2, bidirectional: true), quantization.default_dynamic_qconfig);
        var state = module.ExportState().ToDictionary(entry => entry.Key, entry => entry.Value);
        string[] expected = [.. from suffix in new[] { "_l0", "_l0_reverse", "_l1", "_l1_reverse" }
                                from side in new[] { "ih", "hh" }
                                from name in new[] { $"weight_{side}{suffix}", $"weight_{side}{suffix}_scale", $"weight_{side}{suffix}_zero_point", $"bias_{side}{suffix}" }
                                select name];
        Assert.Equal(expected.Order(StringComparer.Ordinal), state.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([12, 6], state["weight_ih_l1_reverse"].shape);
        Assert.Equal(ScalarType.Int8, state["weight_ih_l1_reverse"].dtype);
        Assert.Equal([1], state["weight_ih_l1_reverse_scale"].shape);
        Assert.Equal(4 * 2 * (12 * 4 + 8) + 2 * 12 * 5 + 2 * 12 * 6 + 4 * 12 * 3, module.WeightBytes);
        Assert.All(state.Values, tensor => tensor.Dispose());

        using var perChannel = DynamicQuantizedGRUCell.from_float(nn.GRUCell(5, 3), quantization.per_channel_dynamic_qconfig);
        var scales = perChannel.ExportState().Single(entry => entry.Key == "weight_hh_scale");
        Assert.Equal([9], scales.Value.shape);
    }

    [Fact]
    public void Modules_print_as_in_pytorch()
    {
        var qconfig = quantization.default_dynamic_qconfig;
        Assert.Equal("DynamicQuantizedLSTM(512, 256, num_layers=5)", DynamicQuantizedLSTM.from_float(nn.LSTM(512, 256, 5, dropout: 0.5), qconfig).ToString());
        Assert.Equal("DynamicQuantizedLSTM(8, 4, bias=False, batch_first=True, bidirectional=True)",
            DynamicQuantizedLSTM.from_float(nn.LSTM(8, 4, bias: false, batchFirst: true, bidirectional: true), qconfig).ToString());
        Assert.Equal("DynamicQuantizedGRU(8, 4)", DynamicQuantizedGRU.from_float(nn.GRU(8, 4), qconfig).ToString());
        Assert.Equal("DynamicQuantizedLSTMCell(8, 4)", DynamicQuantizedLSTMCell.from_float(nn.LSTMCell(8, 4), qconfig).ToString());
        Assert.Equal("DynamicQuantizedGRUCell(8, 4, bias=False)", DynamicQuantizedGRUCell.from_float(nn.GRUCell(8, 4, bias: false), qconfig).ToString());
        Assert.Equal("DynamicQuantizedRNNCell(8, 4)", DynamicQuantizedRNNCell.from_float(nn.RNNCell(8, 4), qconfig).ToString());
        Assert.Equal("DynamicQuantizedRNNCell(8, 4, nonlinearity=relu)", DynamicQuantizedRNNCell.from_float(nn.RNNCell(8, 4, nn.NonLinearities.ReLU), qconfig).ToString());
    }

    [Theory]
    [InlineData("weight_hh_l0", "missing", null)]
    [InlineData("weight_hh_l0", "[12, 3]", "transposed")]
    [InlineData("weight_ih_l0", "Float64", "double")]
    [InlineData("bias_hh_l0", "missing", null)]
    [InlineData("weight_ih_l0_scale", "missing", null)]
    public void A_damaged_state_is_refused_by_name(string name, string expected, string? damage)
    {
        using var scope = NewDisposeScope();
        using var module = DynamicQuantizedLSTM.from_float(nn.LSTM(5, 3), quantization.default_dynamic_qconfig);
        var state = module.ExportState().ToDictionary(entry => entry.Key, entry => entry.Value);
        if (damage is null)
            state.Remove(name);
        else
            state[name] = damage == "double" ? state[name].to(ScalarType.Float64) : state[name].t();
        var error = Assert.Throws<ArgumentException>(() => QuantizedModules.Create(module.Kind, module.Options, state, "encoder.rnn"));
        Assert.Contains($"encoder.rnn.{name}", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData("hidden_size", null)]
    [InlineData("hidden_size", "0")]
    [InlineData("num_layers", "two")]
    [InlineData("batch_first", "yes")]
    [InlineData("nonlinearity", "gelu")]
    public void Damaged_options_are_refused_by_name(string option, string? value)
    {
        IQuantizedModule module = option == "nonlinearity"
            ? DynamicQuantizedRNNCell.from_float(nn.RNNCell(5, 3), quantization.default_dynamic_qconfig)
            : DynamicQuantizedLSTM.from_float(nn.LSTM(5, 3), quantization.default_dynamic_qconfig);
        var options = module.Options.ToDictionary();
        options.Remove(option);
        if (value is not null)
            options[option] = value;
        var error = Assert.Throws<ArgumentException>(() =>
            QuantizedModules.Create(module.Kind, options, module.ExportState().ToDictionary(entry => entry.Key, entry => entry.Value), "encoder.rnn"));
        Assert.Contains("encoder.rnn", error.Message);
        Assert.Contains(option, error.Message);
    }

    private static IQuantizedModule[] All(RecurrentCase sample) =>
    [
        DynamicQuantizedLSTM.from_float(sample.Lstm(), sample.QConfig),
        DynamicQuantizedGRU.from_float(sample.Gru(), sample.QConfig),
        DynamicQuantizedLSTMCell.from_float(sample.Filled(nn.LSTMCell(sample.Input, sample.Hidden, sample.Bias)), sample.QConfig),
        DynamicQuantizedGRUCell.from_float(sample.Filled(nn.GRUCell(sample.Input, sample.Hidden, sample.Bias)), sample.QConfig),
        DynamicQuantizedRNNCell.from_float(sample.Filled(nn.RNNCell(sample.Input, sample.Hidden, nn.NonLinearities.Tanh, sample.Bias)), sample.QConfig),
    ];

    private static float[] Bits(IQuantizedModule module, RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        var (x, step) = (sample.Sequence(), sample.Values(1, sample.Batch, sample.Input));
        Tensor[] outputs = module switch
        {
            DynamicQuantizedLSTM lstm when lstm.call(x) is var (y, h, c) => [y, h, c],
            DynamicQuantizedGRU gru when gru.call(x) is var (y, h) => [y, h],
            DynamicQuantizedLSTMCell cell when cell.call(step) is var (h, c) => [h, c],
            nn.Module<Tensor, Tensor, Tensor> cell => [cell.call(step, null!)],
            _ => throw new ArgumentException(module.Kind),
        };
        return RecurrentOracle.Flat(outputs).data<float>().ToArray();
    }
}
