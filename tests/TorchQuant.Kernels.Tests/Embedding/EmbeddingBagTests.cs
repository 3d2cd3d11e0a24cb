using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class EmbeddingBagTests
{
    [Property(MaxTest = 300)]
    public void Bags_equal_the_reference_bit_for_bit_in_every_mode(int seed)
    {
        var random = new Random(seed);
        EmbeddingCase table = EmbeddingCase.Create(random.Next(2) * 4 + 4, rows: 1 + random.Next(12), columns: 1 + random.Next(40), seed);
        long[] indices = table.Indices(random.Next(30), random);
        EmbeddingBagMode mode = (EmbeddingBagMode)random.Next(3);
        long padding = random.Next(2) == 0 ? -1 : random.Next(table.Scales.Length);
        bool includeLastOffset = random.Next(2) == 0;
        float[] weights = mode == EmbeddingBagMode.Sum && random.Next(2) == 0 ? Generators.Floats(indices.Length, seed) : [];
        // Sorted numbers from 0 to n: empty bags are common, at the ends too.
        int bags = random.Next(8);
        long[] offsets = [.. Enumerable.Range(0, bags).Select(_ => (long)random.Next(indices.Length + 1)).Order()];
        if (bags > 0)
            offsets[0] = 0;
        long[] given = includeLastOffset ? [.. offsets, bags == 0 ? 0 : indices.Length] : offsets;

        List<float> expected = [];
        for (int bag = 0; bag < bags; bag++)
        {
            int start = (int)offsets[bag], end = bag + 1 < bags ? (int)offsets[bag + 1] : indices.Length;
            expected.AddRange(table.Bag(indices.AsSpan(start..end), weights.Length == 0 ? [] : weights.AsSpan(start..end), mode, padding));
        }

        foreach (Isa isa in Isa.Available)
        {
            float[] output = [.. Enumerable.Repeat(7f, expected.Count + 2)];
            table.Pack().Bag(isa, indices, given, mode, weights, includeLastOffset, padding, output.AsSpan(1, expected.Count));
            Assert.Equal([7f, .. expected, 7f], output);
        }
    }

    [Theory]
    [InlineData(EmbeddingBagMode.Sum)]
    [InlineData(EmbeddingBagMode.Mean)]
    [InlineData(EmbeddingBagMode.Max)]
    public void Empty_bags_and_bags_of_padding_give_zeros(EmbeddingBagMode mode)
    {
        // All values are negative, so that a zero cannot come from a row.
        PackedEmbedding table = PackedEmbedding.Pack8([1, 2, 3, 4], 2, 2, [1, 1], [100, 100]);
        float[] output = [.. Enumerable.Repeat(7f, 6)];
        table.Bag([1, 1, 0], [0, 2, 2], mode, [], false, 1, output);
        Assert.Equal([0f, 0f, 0f, 0f, -99f, -98f], output);
    }

    [Fact]
    public void The_last_offset_may_leave_indices_unused()
    {
        PackedEmbedding table = PackedEmbedding.Pack8([1, 2, 3], 3, 1, [1, 1, 1], [0, 0, 0]);
        float[] output = new float[1];
        table.Bag([0, 1, 2], [0, 2], EmbeddingBagMode.Sum, [], includeLastOffset: true, -1, output);
        Assert.Equal([3f], output);
    }

    [Fact]
    public void Padding_does_not_count_in_the_mean()
    {
        PackedEmbedding table = PackedEmbedding.Pack8([2, 4, 90], 3, 1, [1, 1, 1], [0, 0, 0]);
        float[] output = new float[1];
        table.Bag([0, 2, 1, 2], [0], EmbeddingBagMode.Mean, [], false, 2, output);
        Assert.Equal([3f], output);
    }

    [Theory]
    [InlineData(new long[] { 1, 2 }, false, "offsets[0] is 1; expected 0")]
    [InlineData(new long[] { 0, 2, 1 }, false, "offsets[2] is 1; expected 2 (the offset before it) to 3")]
    [InlineData(new long[] { 0, 4 }, false, "offsets[1] is 4; expected 0 (the offset before it) to 3")]
    [InlineData(new long[0], true, "offsets is empty")]
    public void Offsets_that_are_no_bags_are_refused(long[] offsets, bool includeLastOffset, string message)
    {
        PackedEmbedding table = PackedEmbedding.Pack8([1], 1, 1, [1], [0]);
        float[] output = [7, 7, 7, 7];
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => table.Bag([0, 0, 0], offsets, EmbeddingBagMode.Sum, [], includeLastOffset, -1, output)).Message, StringComparison.Ordinal);
        Assert.All(output, value => Assert.Equal(7f, value));
    }

    [Theory]
    [InlineData(EmbeddingBagMode.Mean)]
    [InlineData(EmbeddingBagMode.Max)]
    public void Weights_are_for_sums_only_as_in_PyTorch(EmbeddingBagMode mode)
    {
        PackedEmbedding table = PackedEmbedding.Pack8([1], 1, 1, [1], [0]);
        Assert.Contains($"mode {mode}", Assert.Throws<ArgumentException>(() => table.Bag([0], [0], mode, [1], false, -1, new float[1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        PackedEmbedding table = PackedEmbedding.Pack8([1, 2], 2, 1, [1, 1], [0, 0]);
        Assert.Contains("perSampleWeights has 2 elements; expected 1", Assert.Throws<ArgumentException>(() => table.Bag([0], [0], EmbeddingBagMode.Sum, [1, 2], false, -1, new float[1])).Message, StringComparison.Ordinal);
        Assert.Contains("paddingIndex is 2", Assert.Throws<ArgumentOutOfRangeException>(() => table.Bag([0], [0], EmbeddingBagMode.Sum, [], false, 2, new float[1])).Message, StringComparison.Ordinal);
        Assert.Contains("output has 2 elements; expected 1", Assert.Throws<ArgumentException>(() => table.Bag([0], [0], EmbeddingBagMode.Sum, [], false, -1, new float[2])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Bag([0], [0], (EmbeddingBagMode)3, [], false, -1, new float[1]));
    }
}
