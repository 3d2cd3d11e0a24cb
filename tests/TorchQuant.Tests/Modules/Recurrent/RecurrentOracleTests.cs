using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>The modules against models that PyTorch's quantize_dynamic converted and that libtorch runs in the same process. Its default engine
/// is x86; the engines fbgemm (the same bits) and onednn (within 2e-7) were compared by hand.</summary>
public class RecurrentOracleTests
{
    private const double Tolerance = 1e-6;
    private const int Input = 13;
    private const int Hidden = 9;

    // Where a value stands at a tie of the rounding, both sides are right and may differ by a step; the reference tells. Most inputs are clear of ties.
    private const int Samples = 16;
    private const int LeastClear = 5;

    [Theory]
    [InlineData("lstm.pt", false, false)]
    [InlineData("lstm_bidirectional.pt", true, false)]
    [InlineData("lstm_per_channel.pt", false, true)]
    public void The_lstm_equals_the_one_that_pytorch_converted(string archive, bool bidirectional, bool perChannel)
    {
        using var scope = NewDisposeScope();
        using var oracle = RecurrentOracle.Load(archive);
        using var floats = nn.LSTM(Input, Hidden, 2, batchFirst: bidirectional, bidirectional: bidirectional).WithWeightsOf(oracle);
        using var module = RecurrentOracle.Converted<nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>, DynamicQuantizedLSTM>(
            floats, perChannel ? new QConfigSpec { [typeof(LSTM)] = quantization.per_channel_dynamic_qconfig } : null);
        Compare(bidirectional, sample =>
        {
            var (x, h0, c0) = (sample.Sequence(), sample.State(1), sample.State(2));
            var (y, h, c) = module.call(x, (h0, c0));
            var reference = ReferenceState.Of(module, Cell.Lstm, 2, sample.Directions);
            reference.Run(sample.Rows(x), sample.BatchSizes, ReferenceState.Blocks(h0), ReferenceState.Blocks(c0));
            return (oracle.invoke<Tensor>("forward", x, h0, c0), RecurrentOracle.Flat(y, h, c), reference.Roundings);
        });
    }

    [Theory]
    [InlineData("gru.pt", false)]
    [InlineData("gru_bidirectional.pt", true)]
    public void The_gru_equals_the_one_that_pytorch_converted(string archive, bool bidirectional)
    {
        using var scope = NewDisposeScope();
        using var oracle = RecurrentOracle.Load(archive);
        using var floats = nn.GRU(Input, Hidden, 2, batchFirst: bidirectional, bidirectional: bidirectional).WithWeightsOf(oracle);
        using var module = RecurrentOracle.Converted<nn.Module<Tensor, Tensor, (Tensor, Tensor)>, DynamicQuantizedGRU>(floats);
        Compare(bidirectional, sample =>
        {
            var (x, h0) = (sample.Sequence(), sample.State(1));
            var (y, h) = module.call(x, h0);
            var reference = ReferenceState.Of(module, Cell.Gru, 2, sample.Directions);
            var blocks = ReferenceState.Blocks(h0);
            reference.Run(sample.Rows(x), sample.BatchSizes, blocks, blocks);
            return (oracle.invoke<Tensor>("forward", x, h0), RecurrentOracle.Flat(y, h), reference.Roundings);
        });
    }

    [Fact]
    public void The_lstm_cell_equals_the_one_that_pytorch_converted()
    {
        using var scope = NewDisposeScope();
        using var oracle = RecurrentOracle.Load("lstm_cell.pt");
        using var floats = nn.LSTMCell(Input, Hidden).WithWeightsOf(oracle);
        using var module = RecurrentOracle.Converted<nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor)>, DynamicQuantizedLSTMCell>(floats);
        Compare(false, sample =>
        {
            var (x, h0, c0) = (sample.Values(1, 3, Input), sample.Values(2, 3, Hidden), sample.Values(3, 3, Hidden));
            var (h, c) = module.call(x, (h0, c0));
            // One step: nothing is quantized but the inputs, whose codes are exact.
            return (oracle.invoke<Tensor>("forward", x, h0, c0), RecurrentOracle.Flat(h, c), new Roundings());
        });
    }

    [Theory]
    [InlineData("gru_cell.pt")]
    [InlineData("rnn_cell_tanh.pt")]
    [InlineData("rnn_cell_relu.pt")]
    public void The_other_cells_equal_those_that_pytorch_converted(string archive)
    {
        using var scope = NewDisposeScope();
        using var oracle = RecurrentOracle.Load(archive);
        var nonlinearity = archive.Contains("relu", StringComparison.Ordinal) ? nn.NonLinearities.ReLU : nn.NonLinearities.Tanh;
        using nn.Module<Tensor, Tensor, Tensor> module = archive == "gru_cell.pt"
            ? RecurrentOracle.Converted<nn.Module<Tensor, Tensor, Tensor>, DynamicQuantizedGRUCell>(nn.GRUCell(Input, Hidden).WithWeightsOf(oracle))
            : RecurrentOracle.Converted<nn.Module<Tensor, Tensor, Tensor>, DynamicQuantizedRNNCell>(nn.RNNCell(Input, Hidden, nonlinearity).WithWeightsOf(oracle));
        Compare(false, sample =>
        {
            var (x, h0) = (sample.Values(1, 3, Input), sample.Values(2, 3, Hidden));
            return (oracle.invoke<Tensor>("forward", x, h0), module.call(x, h0).flatten(), new Roundings());
        });
    }

    private static void Compare(bool bidirectional, Func<RecurrentCase, (Tensor Expected, Tensor Found, Roundings Roundings)> run)
    {
        var clear = 0;
        for (var seed = 0; seed < Samples; seed++)
        {
            var (expected, found, roundings) = run(new RecurrentCase(seed, Input, Hidden, 2, bidirectional, bidirectional, true, true, 4, 3, Scheme.PerTensorReduced));
            if (!roundings.Clear)
                continue;
            clear++;
            Assert.InRange((found - expected).abs().max().item<float>(), 0, Tolerance);
        }
        Assert.InRange(clear, LeastClear, Samples);
    }
}
