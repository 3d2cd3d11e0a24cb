using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class LstmLayerTests
{
    /// <summary>
    /// The gates are sums of a few numbers below 10, each rounded to float: 4 roundings of 2^-24 x 10 make 2.4e-6, a quarter of it through a sigmoid and all of it through a tanh;
    /// the cell state gathers that over at most 7 steps.
    /// </summary>
    private const double Tolerance = 2e-5;

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
        LstmResult expected = Run(Isa.Available[^1], sequence, input, hidden, threads: 1);
        foreach (Isa isa in Isa.Available)
        {
            foreach (int threads in (int[])[1, 2, 3])
                Assert.Equal(expected.Bits(), Run(isa, sequence, input, hidden, threads).Bits());
        }
    }

    [Theory]
    [InlineData(WeightKind.Int8PerTensor)]
    [InlineData(WeightKind.Half)]
    public void A_batch_that_is_shared_among_threads_gives_the_same_bits(WeightKind kind)
    {
        // Cells of 40 x 70 units and products of 280 x 70 weights are more than a thread does alone. Two lengths: the sequences are not divided.
        SequenceCase sequence = SequenceCase.Create(30, 70, [.. Enumerable.Repeat(3, 40), 2], reverse: false, seed: 6);
        (LinearCase input, LinearCase hidden) = Weights(sequence, kind, seed: 6);
        int[] expected = Run(Isa.Available[^1], sequence, input, hidden, threads: 1).Bits();
        for (int i = 0; i < 50; i++)
            Assert.Equal(expected, Run(Isa.Current, sequence, input, hidden, threads: 2).Bits());
    }

    /// <summary>Where the gates are whole panels of 32 columns, threads share the hidden units.</summary>
    [Theory]
    [InlineData(32, WeightKind.Int8PerTensor)]
    [InlineData(32, WeightKind.Int8PerChannel)]
    [InlineData(96, WeightKind.Int8PerTensor)]
    [InlineData(96, WeightKind.Int8PerChannel)]
    [InlineData(160, WeightKind.Int8PerTensor)]
    public void Hidden_units_that_are_shared_among_threads_give_the_same_bits(int hiddenUnits, WeightKind kind)
    {
        foreach (bool reverse in (bool[])[false, true])
        {
            SequenceCase sequence = SequenceCase.Create(40, hiddenUnits, [9, 9, 7, .. Enumerable.Repeat(4, 20), 1], reverse, seed: 7);
            foreach (int seed in (int[])[6, 7])
            {
                (LinearCase input, LinearCase hidden) = Weights(sequence, kind, seed);
                int[] expected = Run(Isa.Available[^1], sequence, input, hidden, threads: 1).Bits();
                foreach (Isa isa in Isa.Available)
                {
                    foreach (int threads in isa.Name == Isa.Current.Name ? [1, 2, 3, 16] : (int[])[2])
                        Assert.Equal(expected, Run(isa, sequence, input, hidden, threads).Bits());
                }
            }
        }
    }

    /// <summary>Sequences of one length, if they are many, are shared among threads; the input product is made in one chunk or in several.</summary>
    [Theory]
    [InlineData(1, 1, 8, 1)]
    [InlineData(9, 5, 13, 4)]
    [InlineData(33, 70, 40, 3)]
    [InlineData(20, 160, 20, 13)]
    [InlineData(7, 64, 66, 9)]
    public void Sequences_that_are_shared_among_threads_give_the_same_bits(int inputs, int hiddenUnits, int batch, int steps)
    {
        foreach (bool reverse in (bool[])[false, true])
        {
            SequenceCase sequence = SequenceCase.Create(inputs, hiddenUnits, [.. Enumerable.Repeat(steps, batch)], reverse, seed: 9);
            foreach (int seed in (int[])[6, 7])
            {
                (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed);
                int[] expected = Run(Isa.Available[^1], sequence, input, hidden, threads: 1).Bits();
                foreach (Isa isa in Isa.Available)
                {
                    foreach (int threads in isa.Name == Isa.Current.Name ? [1, 2, 3, 7] : (int[])[2])
                        Assert.Equal(expected, Run(isa, sequence, input, hidden, threads).Bits());
                }
            }
        }
    }

    [Theory]
    [InlineData(5, 2, 1)]
    [InlineData(5, 2, 2)]
    [InlineData(32, 2, 2)]
    [InlineData(32, 9, 2)]
    public void A_hidden_state_that_cannot_be_quantized_is_refused_by_its_name(int hiddenUnits, int batch, int threads)
    {
        SequenceCase sequence = SequenceCase.Create(3, hiddenUnits, [.. Enumerable.Repeat(2, batch)], reverse: false, seed: 1);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed: 1);
        sequence.H0[3] = float.NaN;
        var error = Assert.Throws<ArgumentException>(() => Run(Isa.Current, sequence, input, hidden, threads));
        Assert.Equal("h", error.ParamName);
        Assert.Contains("hidden state before step 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sequence_run_in_two_parts_equals_one_run_where_the_input_ranges_are_equal()
    {
        SequenceCase whole = SequenceCase.Create(8, 20, [6, 6], reverse: false, seed: 5);
        // Both halves hold the extremes, so that both have the range of the whole.
        whole.X[0] = whole.X[^1] = 3;
        whole.X[1] = whole.X[^2] = -3;
        (LinearCase input, LinearCase hidden) = Weights(whole, WeightKind.Int8PerChannel, seed: 5);
        LstmResult expected = Run(Isa.Current, whole, input, hidden, threads: 1);
        int half = whole.X.Length / 2;
        SequenceCase first = whole with { BatchSizes = [2, 2, 2], X = whole.X[..half] };
        LstmResult middle = Run(Isa.Current, first, input, hidden, threads: 1);
        LstmResult end = Run(Isa.Current, first with { X = whole.X[half..], H0 = middle.H, C0 = middle.C }, input, hidden, threads: 1);
        Assert.Equal(expected.Y, middle.Y.Concat(end.Y));
        Assert.Equal(expected.H, end.H);
        Assert.Equal(expected.C, end.C);
    }

    [Fact]
    public void Rows_may_leave_room_for_the_other_direction()
    {
        SequenceCase sequence = SequenceCase.Create(3, 5, [3, 2], reverse: true, seed: 4);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed: 4);
        float[] expected = Run(Isa.Current, sequence, input, hidden, threads: 1).Y;
        float[] h = [.. sequence.H0], c = [.. sequence.C0], y = [.. Enumerable.Repeat(7f, sequence.Rows * 10)];
        LstmLayer.Run(sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, c, y.AsSpan(5), 10, reverse: true);
        for (int row = 0; row < sequence.Rows; row++)
        {
            Assert.All(y[(row * 10)..(row * 10 + 5)], canary => Assert.Equal(7f, canary));
            Assert.Equal(expected[(row * 5)..(row * 5 + 5)], y[(row * 10 + 5)..(row * 10 + 10)]);
        }
    }

    [Fact]
    public void No_steps_leave_the_state_as_it_was()
    {
        (LinearCase input, LinearCase hidden) = Weights(SequenceCase.Create(3, 5, [1], false, 0), WeightKind.Int8PerTensor, 0);
        LstmLayer.Run([], [], input.Packed, hidden.Packed, [], [], [], 5);
        float[] h = [], c = [];
        LstmLayer.Run([], [0, 0], input.Packed, hidden.Packed, h, c, [], 5);
        Assert.Empty(h);
    }

    [Fact]
    public void Allocates_nothing_in_the_steady_state()
    {
        SequenceCase sequence = SequenceCase.Create(64, 48, [9, 9, 4], reverse: false, seed: 4);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerChannel, seed: 4);
        float[] h = [.. sequence.H0], c = [.. sequence.C0], y = new float[sequence.Rows * 48];
        Assert.Equal(0, Allocations.Least(() => LstmLayer.Run(sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, c, y, 48)));
        sequence = SequenceCase.Create(64, 96, [9, 9, 4], reverse: false, seed: 4);
        (input, hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed: 4);
        (h, c, y) = ([.. sequence.H0], [.. sequence.C0], new float[sequence.Rows * 96]);
        Assert.Equal(0, Allocations.Least(() => LstmLayer.Run(sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, c, y, 96, threads: 2)));
        sequence = SequenceCase.Create(64, 48, [.. Enumerable.Repeat(5, 16)], reverse: false, seed: 4);
        (input, hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed: 4);
        (h, c, y) = ([.. sequence.H0], [.. sequence.C0], new float[sequence.Rows * 48]);
        Assert.Equal(0, Allocations.Least(() => LstmLayer.Run(sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, c, y, 48, threads: 2)));
    }

    [Fact]
    public void Many_threads_may_use_one_layer()
    {
        SequenceCase sequence = SequenceCase.Create(24, 33, [5, 3], reverse: false, seed: 8);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerChannel, seed: 8);
        int[] expected = Run(Isa.Current, sequence, input, hidden, threads: 1).Bits();
        Parallel.For(0, 200, _ => Assert.Equal(expected, Run(Isa.Current, sequence, input, hidden, threads: 2).Bits()));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        SequenceCase sequence = SequenceCase.Create(3, 5, [2, 2], reverse: false, seed: 1);
        (LinearCase input, LinearCase hidden) = Weights(sequence, WeightKind.Int8PerTensor, seed: 1);
        void Run(PackedLinear inputWeights, PackedLinear hiddenWeights, int[] batchSizes, int x, int h, int c, int y, int yStride, int threads) =>
            LstmLayer.Run(new float[x], batchSizes, inputWeights, hiddenWeights, new float[h], new float[c], new float[y], yStride, false, threads);
        void Refused(string message, Action run) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(run).Message, StringComparison.Ordinal);

        Refused("x has 11 elements; expected 12", () => Run(input.Packed, hidden.Packed, [2, 2], 11, 10, 10, 20, 5, 1));
        Refused("h has 5 elements; expected 10", () => Run(input.Packed, hidden.Packed, [2, 2], 12, 5, 10, 20, 5, 1));
        Refused("c has 5 elements; expected 10", () => Run(input.Packed, hidden.Packed, [2, 2], 12, 10, 5, 20, 5, 1));
        Refused("y.Length is 19; expected at least 20", () => Run(input.Packed, hidden.Packed, [2, 2], 12, 10, 10, 19, 5, 1));
        Refused("yStride is 4; expected at least 5", () => Run(input.Packed, hidden.Packed, [2, 2], 12, 10, 10, 20, 4, 1));
        Refused("threads is 0", () => Run(input.Packed, hidden.Packed, [2, 2], 12, 10, 10, 20, 5, 0));
        Refused("batchSizes[1] is 3; expected 0 to 1", () => Run(input.Packed, hidden.Packed, [1, 3], 12, 5, 5, 20, 5, 1));
        Refused("inputWeights has 5 outputs; expected 4 x 5", () => Run(LinearCase.Create(WeightKind.Int8PerTensor, 5, 3, 1).Packed, hidden.Packed, [2, 2], 12, 10, 10, 20, 5, 1));
        Refused("hiddenWeights has 20 outputs; expected 4 x 3", () => Run(input.Packed, input.Packed, [2, 2], 12, 10, 10, 20, 5, 1));
    }

    private static void AssertEqualsReference(SequenceCase sequence, WeightKind kind, int seed)
    {
        (LinearCase input, LinearCase hidden) = Weights(sequence, kind, seed);
        LstmResult found = Run(Isa.Current, sequence, input, hidden, threads: 1);
        (double[][] y, double[][] c) = RecurrentReference.Lstm(sequence, input, hidden, found.Y);
        SequenceAssert.Equal(y, found.Y, Tolerance);
        SequenceAssert.Equal(c, found.C, Tolerance);
        SequenceAssert.IsLastOf(found.Y, sequence, found.H);
    }

    private static (LinearCase Input, LinearCase Hidden) Weights(SequenceCase sequence, WeightKind kind, int seed) =>
        (LinearCase.Create(kind, 4 * sequence.Hidden, sequence.Input, seed + 10, seed % 3 == 0), LinearCase.Create(kind, 4 * sequence.Hidden, sequence.Hidden, seed + 20, seed % 3 == 0));

    private static LstmResult Run(Isa isa, SequenceCase sequence, LinearCase input, LinearCase hidden, int threads)
    {
        float[] h = [.. sequence.H0], c = [.. sequence.C0], y = new float[sequence.Rows * sequence.Hidden];
        LstmLayer.Run(isa, sequence.X, sequence.BatchSizes, input.Packed, hidden.Packed, h, c, y, sequence.Hidden, sequence.Reverse, threads);
        return new LstmResult(y, h, c);
    }

    private sealed record LstmResult(float[] Y, float[] H, float[] C)
    {
        public int[] Bits() => [.. Y.Concat(H).Concat(C).Select(BitConverter.SingleToInt32Bits)];
    }
}
