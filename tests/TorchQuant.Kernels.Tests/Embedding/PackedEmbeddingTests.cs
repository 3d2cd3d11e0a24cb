using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class PackedEmbeddingTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void A_row_is_scale_times_code_minus_zero_point_bit_for_bit_at_every_width(int bits)
    {
        for (int columns = 1; columns <= 2 * 16 + 1; columns++)
        {
            EmbeddingCase table = EmbeddingCase.Create(bits, rows: 5, columns, seed: columns);
            long[] indices = [4, 0, 2, 2, 1, 3];
            foreach (Isa isa in Isa.Available)
                Assert.Equal(table.Rows(indices), Lookup(isa, table, indices, threads: 1));
        }
    }

    [Property(MaxTest = 40)]
    public void Lookup_does_not_depend_on_the_threads(int seed)
    {
        var random = new Random(seed);
        EmbeddingCase table = EmbeddingCase.Create(seed % 2 == 0 ? 8 : 4, rows: 1 + random.Next(50), columns: 1 + random.Next(700), seed);
        long[] indices = table.Indices(random.Next(200), random);
        float[] expected = table.Rows(indices);
        foreach (int threads in (int[])[1, 2, 3])
            Assert.Equal(expected, Lookup(Isa.Current, table, indices, threads));
    }

    [Property(MaxTest = 100)]
    public void What_was_packed_is_unpacked_and_takes_the_bytes_that_are_stated(int seed)
    {
        var random = new Random(seed);
        int bits = seed % 2 == 0 ? 8 : 4;
        EmbeddingCase table = EmbeddingCase.Create(bits, rows: 1 + random.Next(9), columns: 1 + random.Next(40), seed);
        PackedEmbedding packed = table.Pack();
        byte[] codes = new byte[table.Codes.Length];
        float[] scales = new float[packed.Rows], zeroPoints = new float[packed.Rows];
        packed.Unpack(codes, scales, zeroPoints);
        Assert.Equal(table.Codes, codes);
        Assert.Equal(table.Scales, scales);
        Assert.Equal(table.ZeroPoints, zeroPoints);
        Assert.Equal(bits, packed.Bits);
        Assert.Equal(packed.Rows * ((packed.Columns * bits + 7) / 8 + 8), packed.WeightBytes);
    }

    [Fact]
    public void Golden_values_of_both_widths_of_code()
    {
        float[] output = new float[3];
        PackedEmbedding.Pack8([0, 128, 255], 1, 3, [0.5f], [1.5f]).Lookup([0], output);
        Assert.Equal([-0.75f, 63.25f, 126.75f], output);
        PackedEmbedding.Pack4([0, 7, 15], 1, 3, [0.5f], [1.5f]).Lookup([0], output);
        Assert.Equal([-0.75f, 2.75f, 6.75f], output);
    }

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(5, 0)]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MinValue, 0)]
    public void An_index_outside_the_table_is_refused_by_name_and_place_and_nothing_is_written(long index, int position)
    {
        PackedEmbedding packed = EmbeddingCase.Create(8, rows: 5, columns: 3, seed: 1).Pack();
        long[] indices = [0, 0, 0];
        indices[position] = index;
        float[] output = [.. Enumerable.Repeat(7f, 9)];
        var lookup = Assert.Throws<ArgumentOutOfRangeException>(() => packed.Lookup(indices, output));
        var bag = Assert.Throws<ArgumentOutOfRangeException>(() => packed.Bag(indices, [0, 1, 2], EmbeddingBagMode.Sum, [], false, -1, output));
        foreach (string message in (string[])[lookup.Message, bag.Message])
            Assert.Contains($"The index {index} at position {position} is outside the embedding table of 5 rows; expected 0 to 4.", message, StringComparison.Ordinal);
        Assert.All(output, value => Assert.Equal(7f, value));
    }

    [Fact]
    public void Packing_refuses_what_cannot_be_a_table()
    {
        Assert.Contains("row 1, column 0 is 16", Assert.Throws<ArgumentException>(() => PackedEmbedding.Pack4([1, 15, 16, 3], 2, 2, [1, 1], [0, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("codes has 3 elements; expected 4", Assert.Throws<ArgumentException>(() => PackedEmbedding.Pack8([1, 2, 3], 2, 2, [1, 1], [0, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("scales[1] is NaN", Assert.Throws<ArgumentException>(() => PackedEmbedding.Pack8([1, 2], 2, 1, [1, float.NaN], [0, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("zeroPoints has 1 elements; expected 2", Assert.Throws<ArgumentException>(() => PackedEmbedding.Pack8([1, 2], 2, 1, [1, 1], [0])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedEmbedding.Pack8([], 0, 2, [], []));
    }

    [Fact]
    public void Allocates_nothing_in_the_steady_state()
    {
        PackedEmbedding table = EmbeddingCase.Create(4, rows: 50, columns: 33, seed: 1).Pack();
        long[] indices = [3, 1, 4, 1, 5, 9], offsets = [0, 2];
        float[] rows = new float[6 * 33], bags = new float[2 * 33];
        Assert.Equal(0, Allocations.Least(() => table.Lookup(indices, rows)));
        Assert.Equal(0, Allocations.Least(() => table.Bag(indices, offsets, EmbeddingBagMode.Mean, [], false, 1, bags)));
    }

    private static float[] Lookup(Isa isa, EmbeddingCase table, long[] indices, int threads)
    {
        PackedEmbedding packed = table.Pack();
        float[] output = [.. Enumerable.Repeat(7f, indices.Length * packed.Columns + 8)];
        packed.Lookup(isa, indices, output.AsSpan(4, indices.Length * packed.Columns), threads);
        Assert.All(output[..4].Concat(output[^4..]), canary => Assert.Equal(7f, canary));
        return output[4..^4];
    }
}
