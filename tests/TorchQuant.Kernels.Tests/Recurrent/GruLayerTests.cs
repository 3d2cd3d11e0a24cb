using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class GruLayerTests
{
    /// <summary>The gates are sums of a few numbers below 10, each rounded to float: 4 roundings of 2^-24 x 10 make 2.4e-6; nothing gathers over the steps.</summary>
    private const double Tolerance = 5e-6;

    [Property(MaxTest = 150)]
    public void Equals_the_reference_in_double_with_int8_weights(int seed) =>
        AssertEqualsReference(SequenceCase.Create(seed), seed % 2 == 0 ? WeightKind.Int8PerTensor : WeightKind.Int8PerChannel, seed);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    [InlineData(33, 17)]
    [InlineData(5, 33)]
    public void Equals_the_reference_for_every_kind_direction_and_length(int input, int hidden)
    {
        foreach (WeightKind kind in Enum.GetValues<WeightKind>())
        {
            foreach (bool reverse in (bool[])[false, true])
            {
                AssertEqualsReference(SequenceCase.Create(input, hidden, [4, 4, 4], reverse, seed: 1), kind, seed: 1);
                AssertEqualsReference(SequenceCase.Create(input, hidden, [7, 3, 3, 1], reverse, seed: 2), kind, seed: 2);
            }
        }
    }

    [Theory]
    [InlineData(WeightKind.Int8PerTensor)]
    [InlineData(WeightKind.Half)]
    public void A_sequence_whose_input_product_is_made_in_parts_equals_the_reference(WeightKind kind)
    {
        foreach (bool reverse in (bool[])[false, true])
        {
            AssertEqualsReference(SequenceCase.Create(9, 170, [70, 70, 70, 70, 70], reverse, seed: 3), kind, seed: 3);
            AssertEqualsReference(SequenceCase.Create(9, 170, [90, 75, 40, 40, 8, 1], reverse, seed: 4), kind, seed: 4);
        }
    }

    [Property(MaxTest = 40)]
    public void Every_ISA_and_number_of_threads_gives_the_same_bits(int seed)
    {
        SequenceCase sequence = SequenceCase.Create(seed);
        (LinearCase input, LinearCase hidden) = Weights(sequence, (WeightKind)(int)((uint)seed % 3), seed);
        float[] expected = Run(Isa.Available[^1], sequence, input, hidden, threads: 1).Y;
        foreach (Isa isa in Isa.Available)
        {
            foreach (int threads in (int[])[1, 2, 3])
                Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), Run(isa, sequence, input, hidden, threads).Y.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Fact]
    public void A_batch_that_is_shared_among_threads_gives_the_same_bits()
    {
        SequenceCase sequence = SequenceCase.Create(30, 70, [.. Enumerable.Repeat(3, 40)], reverse: true, seed: 6);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerChannel, seed: 6);
        float[] expected = Run(Isa.Available[^1], sequence, input, hidden, threads: 1).Y;
        for (int i = 0; i < 50; i++)
            Assert.Equal(expected, Run(Isa.Current, sequence, input, hidden, threads: 2).Y);
    }

    [Fact]
    public void Rows_may_leave_room_for_the_other_direction()
    {
        SequenceCase sequence = SequenceCase.Create(3, 5, [3, 2], reverse: true, seed: 4);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed: 4);
        float[] expected = Run(Isa.Current, sequence, input, hidden, threads: 1).Y;
        float[] h = [.. sequence.H0], y = [.. Enumerable.Repeat(7f, sequence.Rows * 10)];
        GruLayer.Run(sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, y.AsSpan(5), 10, reverse: true);
        for (int row = 0; row < sequence.Rows; row++)
        {
            Assert.All(y[(row * 10)..(row * 10 + 5)], canary => Assert.Equal(7f, canary));
            Assert.Equal(expected[(row * 5)..(row * 5 + 5)], y[(row * 10 + 5)..(row * 10 + 10)]);
        }
    }

    [Fact]
    public void Allocates_nothing_in_the_steady_state()
    {
        SequenceCase sequence = SequenceCase.Create(64, 48, [9, 9, 4], reverse: false, seed: 4);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerChannel, seed: 4);
        float[] h = [.. sequence.H0], y = new float[sequence.Rows * 48];
        Assert.Equal(0, Allocations.Least(() => GruLayer.Run(sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, y, 48)));
    }

    [Fact]
    public void Weights_of_another_number_of_gates_are_refused()
    {
        PackedLinear four = LinearCase.Create(WeightKind.Int8PerTensor, 20, 5, 1).Packed;
        var error = Assert.Throws<ArgumentException>(() => GruLayer.Run(new float[5], [1], four, four, new float[5], new float[5], 5));
        Assert.Contains("hiddenWeights has 20 outputs; expected 3 x 5", error.Message, StringComparison.Ordinal);
    }

    private static void AssertEqualsReference(SequenceCase sequence, WeightKind kind, int seed)
    {
        (LinearCase input, LinearCase hidden) = Weights(sequence, kind, seed);
        (float[] y, float[] h) = Run(Isa.Current, sequence, input, hidden, threads: 1);
        SequenceAssert.Equal(RecurrentReference.Gru(sequence, input, hidden, y), y, Tolerance);
        SequenceAssert.IsLastOf(y, sequence, h);
    }

    private static (LinearCase Input, LinearCase Hidden) Weights(SequenceCase sequence, WeightKind kind, int seed) =>
        (LinearCase.Create(kind, 3 * sequence.Hidden, sequence.Input, seed + 10, seed % 3 == 0), LinearCase.Create(kind, 3 * sequence.Hidden, sequence.Hidden, seed + 20, seed % 3 == 0));

    private static (float[] Y, float[] H) Run(Isa isa, SequenceCase sequence, LinearCase input, LinearCase hidden, int threads)
    {
        float[] h = [.. sequence.H0], y = new float[sequence.Rows * sequence.Hidden];
        GruLayer.Run(isa, sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, y, sequence.Hidden, sequence.Reverse, threads);
        return (y, h);
    }
}
