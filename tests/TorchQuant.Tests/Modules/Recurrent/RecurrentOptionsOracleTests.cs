using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>The modules against libtorch's operators (quantized_lstm, quantized_gru) for every option and size that these take.</summary>
public class RecurrentOptionsOracleTests : IDisposable
{
    private const double Tolerance = 2e-6;
    private readonly jit.ScriptModule _oracle = RecurrentOracle.Load("recurrent.pt");

    public void Dispose()
    {
        _oracle.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Cases that PyTorch's operators know: with biases, and int8 weights per tensor.</summary>
    public static Arbitrary<RecurrentCase> PyTorchKnows() =>
        RecurrentCases.All().Generator.Select(sample => sample with { Bias = true, Scheme = sample.Scheme == Scheme.PerChannel ? Scheme.PerTensor : sample.Scheme }).ToArbitrary();

    [Property(Arbitrary = [typeof(RecurrentOptionsOracleTests)], MaxTest = 100)]
    public void The_lstm_equals_libtorch_s_for_all_options(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        using var floats = sample.Lstm();
        using var module = DynamicQuantizedLSTM.from_float(floats, sample.QConfig);
        var (x, h0, c0) = (sample.Sequence(), sample.State(1), sample.State(2));
        var (y, h, c) = module.call(x, sample.WithState ? (h0, c0) : null);

        var weights = RecurrentOracle.Weights(floats, sample.Layers, sample.Directions);
        var expected = sample.Scheme == Scheme.Float16
            ? _oracle.invoke<Tensor>("lstm_float16", x, h0, c0, weights, sample.Layers, sample.Bidirectional, sample.BatchFirst)
            : _oracle.invoke<Tensor>("lstm_int8", x, h0, c0, weights, RecurrentOracle.Scales(weights), sample.Layers, sample.Bidirectional, sample.BatchFirst, sample.Scheme == Scheme.PerTensorReduced);
        var reference = ReferenceState.Of(module, Cell.Lstm, sample.Layers, sample.Directions);
        reference.Run(sample.Rows(x), sample.BatchSizes, ReferenceState.Blocks(h0), ReferenceState.Blocks(c0));
        AssertEqual(expected, RecurrentOracle.Flat(y, h, c), reference.Roundings);
    }

    [Property(Arbitrary = [typeof(RecurrentOptionsOracleTests)], MaxTest = 100)]
    public void The_gru_equals_libtorch_s_for_all_options(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        using var floats = sample.Gru();
        using var module = DynamicQuantizedGRU.from_float(floats, sample.QConfig);
        var (x, h0) = (sample.Sequence(), sample.State(1));
        var (y, h) = module.call(x, sample.WithState ? h0 : null);

        var weights = RecurrentOracle.Weights(floats, sample.Layers, sample.Directions);
        var expected = sample.Scheme == Scheme.Float16
            ? _oracle.invoke<Tensor>("gru_float16", x, h0, weights, sample.Layers, sample.Bidirectional, sample.BatchFirst)
            : _oracle.invoke<Tensor>("gru_int8", x, h0, weights, RecurrentOracle.Scales(weights), sample.Layers, sample.Bidirectional, sample.BatchFirst, sample.Scheme == Scheme.PerTensorReduced);
        var reference = ReferenceState.Of(module, Cell.Gru, sample.Layers, sample.Directions);
        var blocks = ReferenceState.Blocks(h0);
        reference.Run(sample.Rows(x), sample.BatchSizes, blocks, blocks);
        AssertEqual(expected, RecurrentOracle.Flat(y, h), reference.Roundings);
    }

    [Property(Arbitrary = [typeof(RecurrentOptionsOracleTests)], MaxTest = 60)]
    public void Packed_sequences_equal_libtorch_s(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        sample = sample with { BatchFirst = false, Scheme = sample.Scheme == Scheme.Float16 ? Scheme.PerTensor : sample.Scheme };
        var packed = PackedCase.Of(sample);
        var (h0, c0) = (sample.State(1), sample.State(2));
        var (sortedH, sortedC) = (packed.Sorted(h0), packed.Sorted(c0));
        using var floats = sample.Lstm();
        using var module = DynamicQuantizedLSTM.from_float(floats, sample.QConfig);
        var (y, h, c) = module.call(packed.Sequence, sample.WithState ? (h0, c0) : null);

        var weights = RecurrentOracle.Weights(floats, sample.Layers, sample.Directions);
        var expected = _oracle.invoke<Tensor>("lstm_int8_packed", packed.Sequence.data, packed.Sequence.batch_sizes, sortedH, sortedC, weights, RecurrentOracle.Scales(weights),
            sample.Layers, sample.Bidirectional, sample.Scheme == Scheme.PerTensorReduced);
        var reference = ReferenceState.Of(module, Cell.Lstm, sample.Layers, sample.Directions);
        reference.Run(ReferenceState.Rows(packed.Sequence.data), packed.BatchSizes, ReferenceState.Blocks(sortedH), ReferenceState.Blocks(sortedC));
        AssertEqual(expected, RecurrentOracle.Flat(y.data, packed.Sorted(h), packed.Sorted(c)), reference.Roundings);

        using var floatGru = sample.Gru();
        using var gru = DynamicQuantizedGRU.from_float(floatGru, sample.QConfig);
        var (gruY, gruH) = gru.call(packed.Sequence, sample.WithState ? h0 : null);
        weights = RecurrentOracle.Weights(floatGru, sample.Layers, sample.Directions);
        expected = _oracle.invoke<Tensor>("gru_int8_packed", packed.Sequence.data, packed.Sequence.batch_sizes, sortedH, weights, RecurrentOracle.Scales(weights),
            sample.Layers, sample.Bidirectional, sample.Scheme == Scheme.PerTensorReduced);
        reference = ReferenceState.Of(gru, Cell.Gru, sample.Layers, sample.Directions);
        var blocks = ReferenceState.Blocks(sortedH);
        reference.Run(ReferenceState.Rows(packed.Sequence.data), packed.BatchSizes, blocks, blocks);
        AssertEqual(expected, RecurrentOracle.Flat(gruY.data, packed.Sorted(gruH)), reference.Roundings);
    }

    private static void AssertEqual(Tensor expected, Tensor found, Roundings roundings) =>
        Assert.InRange((found - expected).abs().max().item<float>(), 0, roundings.Clear ? Tolerance : Roundings.StepBound);
}
