using static TorchSharp.torch;
using PackedSequence = TorchSharp.torch.nn.utils.rnn.PackedSequence;

namespace TorchQuant.Modules.Recurrent;

/// <summary>What it takes to compute on a PackedSequence: its rows are the steps one after the other, the longest sequences first, so that every step
/// has a leading part of the batch of the step before.</summary>
internal static class PackedSequences
{
    /// <summary>How many sequences reach each step; never increasing.</summary>
    public static int[] BatchSizes(PackedSequence sequence)
    {
        var sizes = sequence.batch_sizes.Span<long>();
        var result = new int[sizes.Length];
        for (var t = 0; t < result.Length; t++)
            result[t] = checked((int)sizes[t]);
        GC.KeepAlive(sequence);
        return result;
    }

    /// <summary>A state [rows, batch, hidden] in the order of the packed rows; null when it is null or already in that order.</summary>
    public static Tensor? Sort(PackedSequence sequence, Tensor? state) =>
        state is null || sequence.sorted_indices.IsInvalid ? null : state.index_select(1, sequence.sorted_indices);

    /// <summary>The inverse of <see cref="Sort"/>; the given tensor is used up.</summary>
    public static Tensor Unsort(PackedSequence sequence, Tensor state)
    {
        if (sequence.unsorted_indices.IsInvalid)
            return state;
        using (state)
            return state.index_select(1, sequence.unsorted_indices);
    }

    /// <summary>A new PackedSequence for the same sequences with other features; its data are to be written. TorchSharp can make one only by packing,
    /// so a padded tensor of one zero, expanded to the shape, is packed with the same lengths.</summary>
    public static PackedSequence Like(PackedSequence sequence, int[] batchSizes, int features)
    {
        var batch = batchSizes[0];
        var lengths = new long[batch];
        var order = sequence.sorted_indices.IsInvalid ? [] : sequence.sorted_indices.Span<long>();
        for (var row = 0; row < batch; row++)
        {
            var length = 0;
            while (length < batchSizes.Length && batchSizes[length] > row)
                length++;
            lengths[order.IsEmpty ? row : checked((int)order[row])] = length;
        }
        using var zero = zeros(1, 1, 1, dtype: ScalarType.Float32, device: CPU);
        using var padded = zero.expand(batchSizes.Length, batch, features);
        using var lengthsTensor = tensor(lengths, device: CPU);
        return nn.utils.rnn.pack_padded_sequence(padded, lengthsTensor, batch_first: false, enforce_sorted: order.IsEmpty);
    }
}
