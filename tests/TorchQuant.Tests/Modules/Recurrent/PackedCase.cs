using static TorchSharp.torch;
using PackedSequence = TorchSharp.torch.nn.utils.rnn.PackedSequence;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>A case's sequence packed with lengths that follow from its seed, sorted by the caller or by TorchSharp.</summary>
internal sealed record PackedCase(PackedSequence Sequence, Tensor Padded, long[] Lengths)
{
    public int[] BatchSizes => Array.ConvertAll(Sequence.batch_sizes.data<long>().ToArray(), size => (int)size);

    public static PackedCase Of(RecurrentCase sample)
    {
        var random = new Random(sample.Seed);
        var lengths = Enumerable.Range(0, sample.Batch).Select(_ => (long)random.Next(1, sample.Steps + 1)).ToArray();
        lengths[random.Next(lengths.Length)] = sample.Steps;
        var sorted = sample.Seed % 2 == 0;
        if (sorted)
            Array.Sort(lengths, (a, b) => b.CompareTo(a));
        var padded = sample.Sequence();
        return new PackedCase(nn.utils.rnn.pack_padded_sequence(padded, tensor(lengths), sample.BatchFirst, enforce_sorted: sorted), padded, lengths);
    }

    /// <summary>A state in the order of the packed rows.</summary>
    public Tensor Sorted(Tensor state) => Sequence.sorted_indices.IsInvalid ? state : state.index_select(1, Sequence.sorted_indices);
}
