using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchQuant.Tests.Modules.Recurrent;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

public class QuantizableLSTMTests
{
    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 60)]
    public void Computes_what_the_float_LSTM_computes(RecurrentCase sizes)
    {
        using var scope = NewDisposeScope();
        using var lstm = sizes.Lstm();
        using var quantizable = QuantizableLSTM.from_float(lstm);
        var (x, state) = (sizes.Sequence(), ((Tensor, Tensor)?)(sizes.WithState ? (sizes.State(0), sizes.State(1)) : null));
        var (y, h, c) = lstm.call(x, state);
        var (y2, h2, c2) = quantizable.call(x, state);
        Assert.Equal(y.shape, y2.shape);
        Assert.Equal(h.shape, h2.shape);
        // A dozen roundings of 2^-24 of numbers below 4, through at most 12 steps.
        Assert.InRange((RecurrentOracle.Flat(y, h, c) - RecurrentOracle.Flat(y2, h2, c2)).abs().max().item<float>(), 0, 4e-6f);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cell_computes_what_the_float_cell_computes(bool bias)
    {
        using var scope = NewDisposeScope();
        var sizes = new RecurrentCase(4, 7, 5, 1, false, false, bias, true, 1, 3, Scheme.PerTensor);
        using var cell = sizes.Filled(nn.LSTMCell(7, 5, bias));
        using var quantizable = QuantizableLSTMCell.from_float(cell);
        foreach (var (input, state) in new[] { (sizes.Values(1, 3, 7), sizes.Values(2, 3, 5)), (sizes.Values(1, 7), sizes.Values(2, 5)) })
        {
            foreach (var given in new (Tensor, Tensor)?[] { null, (state, state * 2) })
            {
                var (h, c) = cell.call(input, given ?? (zeros_like(state), zeros_like(state))); // TorchSharp's own zeros have no batch
                var (h2, c2) = quantizable.call(input, given);
                Assert.Equal(h.shape, h2.shape);
                Assert.InRange((RecurrentOracle.Flat(h, c) - RecurrentOracle.Flat(h2, c2)).abs().max().item<float>(), 0, 1e-6f);
            }
        }
    }

    [Fact]
    public void Its_parts_have_the_names_of_PyTorch()
    {
        using var lstm = new QuantizableLSTM(3, 2, num_layers: 2, bidirectional: true);
        string[] parts = ["igates", "hgates", "gates", "input_gate", "forget_gate", "cell_gate", "output_gate", "fgate_cx", "igate_cgate", "fgate_cx_igate_cgate", "ogate_cy"];
        var cells = new[] { "layers.0.layer_fw.cell", "layers.0.layer_bw.cell", "layers.1.layer_fw.cell", "layers.1.layer_bw.cell" };
        Assert.Superset(
            cells.SelectMany(cell => parts.Select(part => $"{cell}.{part}")).ToHashSet(),
            lstm.named_modules().Select(module => module.name).ToHashSet());
        Assert.Equal(
            cells.SelectMany(cell => new[] { "igates.weight", "igates.bias", "hgates.weight", "hgates.bias" }.Select(part => $"{cell}.{part}")).Order(),
            lstm.state_dict().Keys.Order());
    }

    [Fact]
    public void The_parts_hold_copies_of_the_weights_that_outlive_the_LSTM_and_a_DisposeScope()
    {
        QuantizableLSTM quantizable;
        using var x = ones(2, 1, 3);
        using (var scope = NewDisposeScope())
        {
            using var lstm = nn.LSTM(3, 2);
            lstm.eval();
            lstm.qconfig = quantization.default_qconfig;
            quantizable = QuantizableLSTM.from_float(lstm);
        }

        using (quantizable)
        {
            Assert.Same(quantization.default_qconfig, quantizable.qconfig);
            Assert.False(quantizable.training);
            var (y, h, c) = quantizable.call(x);
            using (y)
            using (h)
            using (c)
                Assert.True(y.isfinite().all().item<bool>());
            Assert.All(quantizable.parameters(), parameter => Assert.True(parameter.requires_grad));
        }
    }

    [Fact]
    public void Gradients_reach_its_weights()
    {
        using var scope = NewDisposeScope();
        using var lstm = new QuantizableLSTM(3, 2, bidirectional: true);
        var (y, _, _) = lstm.call(rand(4, 2, 3));
        y.sum().backward();
        Assert.All(lstm.parameters(), parameter => Assert.True(parameter.grad!.abs().sum().item<float>() > 0));
    }

    [Fact]
    public void A_copy_is_its_own()
    {
        using var scope = NewDisposeScope();
        using var model = new LstmHolder(new QuantizableLSTM(3, 2, num_layers: 2, batch_first: true, bidirectional: true));
        using var copy = ModuleTree.Copy(model);
        var x = rand(2, 4, 3);
        Assert.Equal(model.call(x, null), copy.call(x, null));
        using (no_grad())
            model.parameters().First().zero_();
        Assert.NotEqual(model.call(x, null), copy.call(x, null));
    }

    [Fact]
    public void What_it_cannot_run_is_refused()
    {
        using var scope = NewDisposeScope();
        using var lstm = new QuantizableLSTM(3, 2, bidirectional: true);
        using var cell = new QuantizableLSTMCell(3, 2);
        var quantized = quantize_per_tensor(zeros(4, 1, 3), 0.1, 3, ScalarType.QUInt8);
        void Refused(string message, Action run) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(run).Message, StringComparison.Ordinal);

        Refused("QuantizableLSTM: the input is (4, 1, 2) with 2 features; expected 3", () => lstm.call(zeros(4, 1, 2)));
        Refused("the input is (4, 3); expected three dimensions", () => lstm.call(zeros(4, 3)));
        Refused("a sequence of no steps", () => lstm.call(zeros(0, 1, 3)));
        Refused("input is Int64; expected floating point numbers", () => lstm.call(zeros(4, 1, 3, dtype: ScalarType.Int64)));
        Refused("h_0 is (1, 1, 2); expected (2, 1, 2)", () => lstm.call(zeros(4, 1, 3), (zeros(1, 1, 2), zeros(2, 1, 2))));
        Refused("c_0 is (2, 2, 2); expected (2, 1, 2)", () => lstm.call(zeros(4, 1, 3), (zeros(2, 1, 2), zeros(2, 2, 2))));
        Refused("h_0 is Float32 and the input QUInt8; expected the same type of both. Give an initial state of a model to be quantized to a QuantStub", () => lstm.call(quantized, (zeros(2, 1, 2), zeros(2, 1, 2))));
        Refused("QuantizableLSTMCell: the input is (1, 2)", () => cell.call(zeros(1, 2)));
        Refused("h_0 is (2); expected (1, 2)", () => cell.call(zeros(1, 3), (zeros(2), zeros(1, 2))));
        Refused("num_layers is 0; expected at least 1", () => new QuantizableLSTM(3, 2, num_layers: 0).Dispose());
        Refused("hidden_size is 0; expected at least 1", () => new QuantizableLSTMCell(3, 0).Dispose());
    }
}
