using Xunit;

namespace TorchQuant.Kernels.Tests;

public unsafe class MinMaxTests
{
    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void The_range_is_found_wherever_its_ends_are(Isa isa)
    {
        for (int length = 1; length <= 70; length++)
        {
            for (int at = 0; at < length; at++)
            {
                float[] x = Generators.Floats(length, seed: length * 100 + at);
                x[at] = 11;
                x[(at * 7 + 3) % length] = -12;
                Assert.Equal((x.Min(), x.Max()), Of(isa, x));
            }
        }
    }

    [Theory]
    [InlineData(32_768)]
    [InlineData(100_003)]
    [InlineData(5_000_000)]
    public void Threads_find_the_same_range(int length)
    {
        float[] x = Generators.Floats(length, seed: length);
        (x[length / 3], x[length - 1]) = (11, -12);
        Assert.Equal((-12f, 11f), MinMax.Of(x, threads: 4));
        x[length / 2] = float.NaN;
        Assert.Equal((float.NaN, float.NaN), MinMax.Of(x, threads: 4));
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void One_NaN_anywhere_makes_both_ends_NaN(Isa isa)
    {
        foreach (int bits in new[] { 0x7FC00000, unchecked((int)0xFFC00000), 0x7F800001, unchecked((int)0xFF800001) })
        {
            for (int at = 0; at < 70; at++)
            {
                float[] x = new float[70];
                x[at] = BitConverter.Int32BitsToSingle(bits);
                Assert.Equal((float.NaN, float.NaN), Of(isa, x));
                Assert.Equal((float.NaN, float.NaN), Of(isa, x[..(at + 1)]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Infinities_are_numbers_and_zeros_come_out_positive(Isa isa)
    {
        Assert.Equal((float.NegativeInfinity, float.PositiveInfinity), Of(isa, [.. new float[20], float.PositiveInfinity, float.NegativeInfinity, .. new float[20]]));
        foreach (int length in new[] { 1, 5, 8, 16, 40 })
        {
            (float min, float max) = Of(isa, [.. Enumerable.Repeat(-0f, length)]);
            Assert.Equal((0, 0), (BitConverter.SingleToInt32Bits(min), BitConverter.SingleToInt32Bits(max)));
        }
    }

    [Fact]
    public void Rows_have_their_own_ranges()
    {
        float[] min = new float[2], max = new float[2];
        MinMax.OfRows([1, 2, 3, -1, -5, -2], min, max);
        Assert.Equal([1f, -5f], min);
        Assert.Equal([3f, -1f], max);
    }

    [Fact]
    public void Nothing_has_no_range()
    {
        Assert.Contains("x is empty", Assert.Throws<ArgumentException>(() => MinMax.Of([])).Message);
        Assert.Contains("multiple of the 2 rows", Assert.Throws<ArgumentException>(() => MinMax.OfRows(new float[3], new float[2], new float[2])).Message);
        Assert.Contains("max has 1 elements; expected 2", Assert.Throws<ArgumentException>(() => MinMax.OfRows(new float[4], new float[2], new float[1])).Message);
    }

    private static (float Min, float Max) Of(Isa isa, float[] x)
    {
        fixed (float* source = x)
            return isa.MinMax(source, x.Length);
    }
}
