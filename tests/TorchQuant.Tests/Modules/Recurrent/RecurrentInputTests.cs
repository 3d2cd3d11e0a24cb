using TorchQuant.Modules;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>What the modules accept beside the ordinary, and what they refuse and how.</summary>
public class RecurrentInputTests
{
    private static readonly QConfig QConfig = quantization.default_dynamic_qconfig;

    [Theory]
    [InlineData("one dimension too few", "expected three dimensions", "unsqueeze(1)")]
    [InlineData("features", "with 4 features", "expected 5")]
    [InlineData("no steps", "no steps", "at least one")]
    [InlineData("double", "Float64", "to(ScalarType.Float32)")]
    [InlineData("NaN", "NaN", "finite")]
    [InlineData("infinity", "Infinity", "finite")]
    [InlineData("state batch", "(1, 1, 3)", "expected (1, 2, 3)")]
    [InlineData("state type", "c_0 is Float64", "to(ScalarType.Float32)")]
    [InlineData("NaN state", "NaN", "finite")]
    public void A_bad_input_is_refused_with_the_module_s_path(string what, string found, string mend)
    {
        using var scope = NewDisposeScope();
        using var module = DynamicQuantizedLSTM.from_float(nn.LSTM(5, 3), QConfig, "encoder.rnn");
        var good = ones(4, 2, 5);
        var state = zeros(1, 2, 3);
        var (x, h0, c0) = what switch
        {
            "one dimension too few" => (ones(4, 5), state, state),
            "features" => (ones(4, 2, 4), state, state),
            "no steps" => (ones(0, 2, 5), state, state),
            "double" => (good.to(ScalarType.Float64), state, state),
            "NaN" => (good * float.NaN, state, state),
            "infinity" => (good * float.PositiveInfinity, state, state),
            "state batch" => (good, zeros(1, 1, 3), state),
            "state type" => (good, state, state.to(ScalarType.Float64)),
            _ => (good, state * float.NaN, state),
        };
        var error = Assert.Throws<ArgumentException>(() => module.call(x, (h0, c0)));
        Assert.StartsWith("encoder.rnn (DynamicQuantizedLSTM)", error.Message, StringComparison.Ordinal);
        Assert.Contains(found, error.Message);
        Assert.Contains(mend, error.Message);
    }

    [Fact]
    public void A_cell_refuses_a_sequence_and_a_packed_sequence_of_other_features_is_refused()
    {
        using var scope = NewDisposeScope();
        using var cell = DynamicQuantizedGRUCell.from_float(nn.GRUCell(5, 3), QConfig, "decoder");
        Assert.Contains("one step at a time", Assert.Throws<ArgumentException>(() => cell.call(ones(4, 2, 5))).Message);
        Assert.Contains("expected (2, 3), (batch, hidden)", Assert.Throws<ArgumentException>(() => cell.call(ones(2, 5), ones(3, 3))).Message);
        Assert.Contains("expected (3), (hidden)", Assert.Throws<ArgumentException>(() => cell.call(ones(5), ones(1, 3))).Message);
        using var gru = DynamicQuantizedGRU.from_float(nn.GRU(5, 3), QConfig, "decoder");
        var packed = nn.utils.rnn.pack_padded_sequence(ones(4, 2, 6), tensor(new long[] { 4, 1 }));
        Assert.Contains("with 6 features; expected 5", Assert.Throws<ArgumentException>(() => gru.call(packed)).Message);
        Assert.Throws<ArgumentNullException>(() => gru.call((Tensor)null!));
    }

    [Fact]
    public void An_empty_batch_gives_empty_outputs_as_in_the_float_module()
    {
        using var scope = NewDisposeScope();
        using var floats = nn.LSTM(5, 3, 2, batchFirst: true, bidirectional: true);
        using var module = DynamicQuantizedLSTM.from_float(floats, QConfig);
        var (x, state) = (ones(0, 4, 5), zeros(4, 0, 3));
        var (expected, found) = (floats.call(x, (state, state)), module.call(x));
        Assert.Equal(expected.Item1.shape, found.Item1.shape);
        Assert.Equal(expected.Item2.shape, found.Item2.shape);
        using var cell = DynamicQuantizedRNNCell.from_float(nn.RNNCell(5, 3), QConfig);
        Assert.Equal([0, 3], cell.call(ones(0, 5)).shape);
    }

    [Fact]
    public void An_unbatched_step_of_a_cell_equals_a_batch_of_one()
    {
        using var scope = NewDisposeScope();
        var sample = new RecurrentCase(3, 5, 4, 1, false, false, true, true, 1, 1, Scheme.PerChannel);
        using var cell = DynamicQuantizedLSTMCell.from_float(sample.Filled(nn.LSTMCell(5, 4)), sample.QConfig);
        var (x, h0, c0) = (sample.Values(1, 5), sample.Values(2, 4), sample.Values(3, 4));
        var (h, c) = cell.call(x, (h0, c0));
        var (batchH, batchC) = cell.call(x.unsqueeze(0), (h0.unsqueeze(0), c0.unsqueeze(0)));
        Assert.Equal([4], h.shape);
        Assert.Equal(ReferenceState.Rows(batchH), ReferenceState.Rows(h));
        Assert.Equal(ReferenceState.Rows(batchC), ReferenceState.Rows(c));
    }

    [Fact]
    public void Strided_inputs_and_states_give_the_bits_of_contiguous_ones_and_stay_as_they_are()
    {
        using var scope = NewDisposeScope();
        var sample = new RecurrentCase(4, 6, 4, 2, true, false, true, true, 70, 3, Scheme.PerTensorReduced);
        using var module = DynamicQuantizedLSTM.from_float(sample.Lstm(), sample.QConfig);
        var (x, h0, c0) = (sample.Sequence(), sample.State(1), sample.State(2));
        var before = RecurrentOracle.Flat(x, h0, c0).data<float>().ToArray();
        var expected = module.call(x, (h0, c0));
        Tensor Strided(Tensor t) => t.transpose(0, 2).contiguous().transpose(0, 2);
        var found = module.call(Strided(x), (Strided(h0), Strided(c0)));
        Assert.False(Strided(x).is_contiguous());
        Assert.Equal(ReferenceState.Rows(expected.Item1), ReferenceState.Rows(found.Item1));
        Assert.Equal(ReferenceState.Rows(expected.Item3), ReferenceState.Rows(found.Item3));
        Assert.Equal(before, RecurrentOracle.Flat(x, h0, c0).data<float>().ToArray());
    }

    [Fact]
    public void Outputs_carry_no_gradient_and_training_mode_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var floats = nn.LSTM(5, 3, 2, dropout: 0.9);
        using var module = DynamicQuantizedLSTM.from_float(floats, QConfig);
        var (x, state) = (rand(4, 2, 5).requires_grad_(), rand(2, 2, 3).requires_grad_());
        var expected = module.call(x, (state, state));
        module.train();
        var found = module.call(x, (state, state));
        Assert.Equal(ReferenceState.Rows(expected.Item1.detach()), ReferenceState.Rows(found.Item1.detach()));
        Assert.False(found.Item1.requires_grad || found.Item2.requires_grad || found.Item3.requires_grad);
        Assert.Empty(module.parameters());
    }

    [Fact]
    public void Moving_or_converting_a_quantized_module_is_refused()
    {
        using var module = DynamicQuantizedGRU.from_float(nn.GRU(5, 3), QConfig, "rnn");
        Assert.Contains("rnn (DynamicQuantizedGRU)", Assert.Throws<InvalidOperationException>(() => module.to(ScalarType.Float64)).Message);
        Assert.Contains("rnn (DynamicQuantizedGRU)", Assert.Throws<InvalidOperationException>(() => module.half()).Message);
        Assert.Same(module, module.to(ScalarType.Float32).cpu());
    }

    [Fact]
    public void Weights_that_cannot_be_quantized_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var broken = nn.LSTM(5, 3);
        using (no_grad())
            broken.get_parameter("weight_hh_l0")!.fill_(float.NaN);
        Assert.Contains("encoder.weight_hh_l0", Assert.Throws<ArgumentException>(() => DynamicQuantizedLSTM.from_float(broken, QConfig, "encoder")).Message);
        using var wide = nn.GRU(5, 3).to(ScalarType.Float64);
        Assert.Contains("encoder.weight_ih_l0 is Float64", Assert.Throws<ArgumentException>(() => DynamicQuantizedGRU.from_float(wide, QConfig, "encoder")).Message);
        using var embedding = nn.RNNCell(5, 3);
        Assert.Contains("qint8", Assert.Throws<ArgumentException>(() =>
            DynamicQuantizedRNNCell.from_float(embedding, quantization.float_qparams_weight_only_qconfig, "cell")).Message);
    }
}
