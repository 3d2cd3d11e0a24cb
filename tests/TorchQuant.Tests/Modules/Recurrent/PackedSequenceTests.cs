using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>Packed sequences: the same rules as the float modules for order, padding and states.</summary>
public class PackedSequenceTests
{
    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 100)]
    public void Packed_sequences_equal_the_plain_reference(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        var packed = PackedCase.Of(sample);
        var (h0, c0) = (sample.State(1), sample.State(2));
        var rows = ReferenceState.Rows(packed.Sequence.data);
        float[][][] Start(Tensor state) => ReferenceState.Blocks(packed.Sorted(state));

        using var lstm = DynamicQuantizedLSTM.from_float(sample.Lstm(), sample.QConfig);
        var (y, h, c) = lstm.call(packed.Sequence, sample.WithState ? (h0, c0) : null);
        var (expectedH, expectedC) = (Start(h0), Start(c0));
        var reference = ReferenceState.Of(lstm, Cell.Lstm, sample.Layers, sample.Directions);
        var expected = reference.Run(rows, packed.BatchSizes, expectedH, expectedC);
        reference.AssertNear(y.data, expected);
        reference.AssertNear(packed.Sorted(h), [.. expectedH.SelectMany(block => block)]);
        reference.AssertNear(packed.Sorted(c), [.. expectedC.SelectMany(block => block)]);

        using var gru = DynamicQuantizedGRU.from_float(sample.Gru(), sample.QConfig);
        var (gruY, gruH) = gru.call(packed.Sequence, sample.WithState ? h0 : null);
        expectedH = Start(h0);
        reference = ReferenceState.Of(gru, Cell.Gru, sample.Layers, sample.Directions);
        reference.AssertNear(gruY.data, reference.Run(rows, packed.BatchSizes, expectedH, expectedH));
        reference.AssertNear(packed.Sorted(gruH), [.. expectedH.SelectMany(block => block)]);
    }

    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 100)]
    public void The_output_is_packed_like_the_float_module_s(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        var packed = PackedCase.Of(sample);
        using var floats = sample.Lstm();
        using var module = DynamicQuantizedLSTM.from_float(floats, sample.QConfig);
        var (expected, expectedH, _) = floats.call(packed.Sequence);
        var (found, h, _) = module.call(packed.Sequence);

        Assert.Equal(expectedH.shape, h.shape);
        Assert.Equal(expected.batch_sizes.data<long>().ToArray(), found.batch_sizes.data<long>().ToArray());
        Assert.Equal(expected.sorted_indices.IsInvalid, found.sorted_indices.IsInvalid);
        if (!expected.sorted_indices.IsInvalid)
            Assert.Equal(expected.sorted_indices.data<long>().ToArray(), found.sorted_indices.data<long>().ToArray());
        var (padded, lengths) = nn.utils.rnn.pad_packed_sequence(found, sample.BatchFirst);
        var (expectedPadded, _) = nn.utils.rnn.pad_packed_sequence(expected, sample.BatchFirst);
        Assert.Equal(expectedPadded.shape, padded.shape);
        Assert.Equal(packed.Lengths, lengths.data<long>().ToArray());
        Assert.InRange((padded - expectedPadded).abs().max().item<float>(), 0, 0.1); // rows in another order would be off by more
    }

    [Fact]
    public void Sequences_of_one_length_give_what_the_same_tensor_gives()
    {
        using var scope = NewDisposeScope();
        var sample = new RecurrentCase(5, 7, 6, 2, true, false, true, true, 5, 3, Scheme.PerChannel);
        var (x, h0, c0) = (sample.Sequence(), sample.State(1), sample.State(2));
        using var module = DynamicQuantizedLSTM.from_float(sample.Lstm(), sample.QConfig);
        var (y, h, c) = module.call(x, (h0, c0));
        var (packedY, packedH, packedC) = module.call(nn.utils.rnn.pack_padded_sequence(x, tensor(new long[] { 5, 5, 5 })), (h0, c0));
        Assert.Equal(ReferenceState.Rows(y), ReferenceState.Rows(packedY.data));
        Assert.Equal(ReferenceState.Rows(h), ReferenceState.Rows(packedH));
        Assert.Equal(ReferenceState.Rows(c), ReferenceState.Rows(packedC));
    }

    [Fact]
    public void Fields_of_the_base_types_take_packed_sequences_and_single_arguments()
    {
        using var scope = NewDisposeScope();
        var sample = new RecurrentCase(6, 7, 6, 1, false, false, true, false, 3, 2, Scheme.PerChannel);
        var x = sample.Sequence();
        var packed = nn.utils.rnn.pack_padded_sequence(x, tensor(new long[] { 3, 2 }));
        using var floatLstm = sample.Lstm();
        using var lstm = DynamicQuantizedLSTM.from_float(floatLstm, sample.QConfig);
        foreach (nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> field in new nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>[] { floatLstm, lstm })
        {
            Assert.Equal(ReferenceState.Rows(field.call(x, null).Item1), ReferenceState.Rows(field.call(x).Item1));
            Assert.Equal([5, 6], field.call(packed).Item1.data.shape);
        }
        using var floatGru = sample.Gru();
        using var gru = DynamicQuantizedGRU.from_float(floatGru, sample.QConfig);
        foreach (nn.Module<Tensor, Tensor, (Tensor, Tensor)> field in new nn.Module<Tensor, Tensor, (Tensor, Tensor)>[] { floatGru, gru })
        {
            Assert.Equal(ReferenceState.Rows(field.call(x, null!).Item1), ReferenceState.Rows(field.call(x).Item1));
            Assert.Equal([5, 6], field.call(packed).Item1.data.shape);
        }
        nn.Module<Tensor, Tensor, (Tensor, Tensor)> rnn = nn.RNN(7, 6)!;
        Assert.Contains("GRU", Assert.Throws<ArgumentException>(() => rnn.call(packed)).Message);
    }
}
