using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Elementwise;

public class CodePairTests
{
    private const int Canaries = 70;

    private delegate void Kernel(Isa isa, ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, Span<byte> output, QParams outParams, bool relu, int threads);

    private delegate byte Scalar(byte a, QParams aParams, byte b, QParams bParams, QParams output, bool relu);

    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    public static TheoryData<Isa, bool> EveryIsaAndOperation => [.. Isa.Available.SelectMany(isa => new (Isa, bool)[] { (isa, true), (isa, false) })];

    [Theory]
    [MemberData(nameof(EveryIsaAndOperation))]
    public void Every_row_equals_the_reference_at_every_length(Isa isa, bool add)
    {
        for (int length = 0; length <= 3 * 64 + 1; length++)
            AssertEqualsReference(isa, add, length, length, seed: length, threads: 1);
    }

    [Theory]
    [MemberData(nameof(EveryIsaAndOperation))]
    public void A_row_repeats_along_the_first_array(Isa isa, bool add)
    {
        foreach (int row in new[] { 1, 2, 3, 5, 15, 16, 17, 31, 64, 65, 100 })
        {
            foreach (int repeats in new[] { 0, 1, 2, 3, 7, 700 })
                AssertEqualsReference(isa, add, row * repeats, row, seed: row + repeats, threads: 1);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsaAndOperation))]
    public void Threads_share_what_is_large(Isa isa, bool add)
    {
        AssertEqualsReference(isa, add, 100_003, 100_003, seed: 5, threads: 4);
        AssertEqualsReference(isa, add, 100_003, 1, seed: 6, threads: 4);
        AssertEqualsReference(isa, add, 9_001 * 11, 9_001, seed: 7, threads: 4);
        AssertEqualsReference(isa, add, 3 * 33_333, 3, seed: 8, threads: 4);
    }

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_gives_the_same_bits_for_extreme_codes_and_qparams(int seed)
    {
        int length = new Random(seed).Next(200);
        foreach (Isa isa in Isa.Available)
        {
            AssertEqualsReference(isa, add: true, length, length, seed, threads: 1);
            AssertEqualsReference(isa, add: false, length, length, seed, threads: 1);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Sums_and_products_beyond_the_integers_saturate(Isa isa)
    {
        byte[] a = [.. Enumerable.Repeat((byte)255, 40)], low = [.. Enumerable.Repeat((byte)0, 40)], output = new byte[40];
        QParams huge = new(1e36f, 100), tiny = new(1e-37f, 100);
        Int8Add.Add(isa, a, huge, a, huge, output, tiny, relu: false, threads: 1);
        Assert.All(output, code => Assert.Equal(255, code));
        Int8Mul.Multiply(isa, a, huge, low, huge, output, tiny, relu: false, threads: 1);
        Assert.All(output, code => Assert.Equal(0, code));
        Int8Mul.Multiply(isa, a, new QParams(1000, 0), a, new QParams(1000, 0), output, new QParams(1e-3f, 0), relu: false, threads: 1);
        Assert.All(output, code => Assert.Equal(255, code));
        // Infinity less infinity and infinity times zero have no value: the zero point stands for it.
        QParams infinite = new(3e38f, 100);
        Int8Add.Add(isa, a, infinite with { ZeroPoint = 0 }, low, infinite, output, tiny, relu: false, threads: 1);
        Assert.All(output, code => Assert.Equal(100, code));
        Int8Mul.Multiply(isa, [.. Enumerable.Repeat((byte)100, 40)], infinite, a, infinite, output, tiny, relu: false, threads: 1);
        Assert.All(output, code => Assert.Equal(100, code));
    }

    [Theory]
    [MemberData(nameof(EveryIsaAndOperation))]
    public void Results_far_beyond_the_codes_saturate_in_every_place_of_a_vector(Isa isa, bool add)
    {
        // In units of the output's scale: beyond 16 bits, just below and just above what the packed integers are used for, and beyond 32 bits.
        foreach (float scale in new[] { 1e-3f, 1e-4f, 4.8e-7f, 4.7e-7f, 1e-8f, 1e-30f })
        {
            foreach (QParams output in new[] { new QParams(scale, 0), new QParams(scale, 255), new QParams(scale, 100) { Lowest = 3, Highest = 200 } })
            {
                byte[] a = Generators.Activations(1000, seed: 1), b = Generators.Activations(1000, seed: 2), found = new byte[1000];
                QParams one = new(1, 128), other = new(1, 7);
                foreach (bool relu in new[] { false, true })
                {
                    (Kernel kernel, Scalar scalar) = add ? ((Kernel)Int8Add.Add, (Scalar)CodeReference.Add) : (Int8Mul.Multiply, CodeReference.Multiply);
                    kernel(isa, a, one, b, other, found, output, relu, threads: 1);
                    for (int i = 0; i < found.Length; i++)
                        Assert.Equal(Math.Clamp(scalar(a[i], one, b[i], other, output, relu), output.Lowest, output.Highest), found[i]);
                }
            }
        }
    }

    [Fact]
    public void The_output_may_be_the_memory_of_the_first_array()
    {
        byte[] a = Generators.Activations(1000, seed: 3), b = Generators.Activations(1000, seed: 5), expected = new byte[1000];
        Int8Add.Add(a, new QParams(0.1f, 3), b, new QParams(0.2f, 9), expected, new QParams(0.3f, 5));
        Int8Add.Add(a, new QParams(0.1f, 3), b, new QParams(0.2f, 9), a, new QParams(0.3f, 5));
        Assert.Equal(expected, a);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] a = new byte[5000], row = new byte[10], output = new byte[5000];
        QParams qparams = new(0.1f, 3);
        Assert.Equal(0, Allocations.Least(() => Int8Add.Add(a, qparams, a, qparams, output, qparams)));
        Assert.Equal(0, Allocations.Least(() => Int8Mul.Multiply(a, qparams, row, qparams, output, qparams)));
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        QParams good = new(1, 0);
        byte[] three = new byte[3], two = new byte[2];
        Assert.Contains("output has 2 elements; expected 3", Refusal(() => Int8Add.Add(three, good, three, good, two, good)));
        Assert.Contains("b has 2 elements; expected 3 (as many as a), a row that repeats along a, or 1", Refusal(() => Int8Add.Add(three, good, two, good, three, good)));
        Assert.Contains("b has 0 elements", Refusal(() => Int8Mul.Multiply(three, good, [], good, three, good)));
        Assert.Contains("aParams has the scale 0", Refusal(() => Int8Mul.Multiply(three, default, three, good, three, good)));
        Assert.Contains("bParams has the zero point 256", Refusal(() => Int8Mul.Multiply(three, good, three, new QParams(1, 256), three, good)));
        Assert.Contains("outParams has the zero point -1", Refusal(() => Int8Add.Add(three, good, three, good, three, new QParams(1, -1))));
        Assert.Contains("threads is 0; expected at least 1", Refusal(() => Int8Add.Add(three, good, three, good, three, good, threads: 0)));
    }

    private static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static void AssertEqualsReference(Isa isa, bool add, int length, int bLength, int seed, int threads)
    {
        (Kernel kernel, Scalar scalar) = add ? ((Kernel)Int8Add.Add, (Scalar)CodeReference.Add) : (Int8Mul.Multiply, CodeReference.Multiply);
        byte[] a = Generators.Activations(length, seed), b = Generators.Activations(bLength, seed + 1);
        QParams aParams = Generators.QParams(seed), bParams = Generators.QParams(seed + 1), output = Generators.QParams(seed + 2);
        // Equal and doubled scales give ties.
        if (seed % 3 == 0)
            (bParams, output) = (bParams with { Scale = aParams.Scale }, output with { Scale = 2 * aParams.Scale });
        foreach (bool relu in new[] { false, true })
        {
            byte[] found = new byte[length + 2 * Canaries], expected = new byte[found.Length];
            Array.Fill(found, (byte)99);
            Array.Fill(expected, (byte)99);
            for (int i = 0; i < length; i++)
                expected[Canaries + i] = scalar(a[i], aParams, b[i % bLength], bParams, output, relu);
            kernel(isa, a, aParams, b, bParams, found.AsSpan(Canaries, length), output, relu, threads);
            int same = expected.AsSpan().CommonPrefixLength(found);
            Assert.True(same == expected.Length, same == expected.Length ? "" : $"{isa}, add {add}, length {length}, b {bLength}, relu {relu}: element {same - Canaries} is {found[same]}, expected {expected[same]}");
        }
    }
}
