using FsCheck.Xunit;
using TorchQuant.Kernels;
using Xunit;

namespace TorchQuant.Tests.Elementwise;

/// <summary>Against quantized::add, add_relu, mul and mul_relu of the libtorch that TorchSharp loads.</summary>
public class CodePairOracleTests
{
    /// <summary>What libtorch's add takes at a time on x86: two vectors of 32 codes.</summary>
    private const int Block = 64;

    [Property(EndSize = 1_000_000, MaxTest = 60)]
    public void Sums_and_products_of_every_pair_of_codes_equal_libtorchs(int seed)
    {
        using var oracle = new ElementwiseOracle();
        byte[] a = [.. Enumerable.Range(0, 65536).Select(i => (byte)i)], b = [.. Enumerable.Range(0, 65536).Select(i => (byte)(i >> 8))], found = new byte[65536];
        var (aParams, bParams, output) = QParams(seed);
        foreach (bool relu in new[] { false, true })
        {
            Int8Add.Add(a, aParams, b, bParams, found, output, relu);
            Assert.Equal(oracle.Pair(relu ? "add_relu" : "add", a, aParams, b, bParams, output), found);
            Int8Mul.Multiply(a, aParams, b, bParams, found, output, relu);
            Assert.Equal(oracle.Pair(relu ? "mul_relu" : "mul", a, aParams, b, bParams, output), found);
        }
    }

    [Property(EndSize = 1_000_000, MaxTest = 300)]
    public void Products_equal_libtorchs_at_every_length(int seed)
    {
        using var oracle = new ElementwiseOracle();
        int length = new Random(seed).Next(1, 200);
        byte[] a = RandomCodes.Codes(length, seed), b = RandomCodes.Codes(length, seed + 1), found = new byte[length];
        var (aParams, bParams, output) = QParams(seed);
        Int8Mul.Multiply(a, aParams, b, bParams, found, output);
        Assert.Equal(oracle.Pair("mul", a, aParams, b, bParams, output), found);
    }

    /// <summary>Where libtorch dequantizes in another way, and by how much that shows.</summary>
    [Property(EndSize = 1_000_000, MaxTest = 300)]
    public void Sums_equal_libtorchs_in_whole_blocks_and_within_one_code_in_the_codes_left_over(int seed)
    {
        using var oracle = new ElementwiseOracle();
        int length = new Random(seed).Next(1, 200), whole = length / Block * Block;
        byte[] a = RandomCodes.Codes(length, seed), b = RandomCodes.Codes(length, seed + 1), found = new byte[length];
        var (aParams, bParams, output) = QParams(seed);
        Int8Add.Add(a, aParams, b, bParams, found, output);
        byte[] expected = oracle.Pair("add", a, aParams, b, bParams, output);
        Assert.Equal(expected[..whole], found[..whole]);
        for (int i = whole; i < length; i++)
        {
            float sum = (a[i] - aParams.ZeroPoint) * aParams.Scale + (b[i] - bParams.ZeroPoint) * bParams.Scale;
            double leftOver = Math.Clamp(Math.Round((double)(sum * (1 / output.Scale)), MidpointRounding.ToEven) + output.ZeroPoint, 0, 255);
            Assert.Equal(leftOver, expected[i]);
            Assert.InRange(found[i] - expected[i], -1, 1);
        }
    }

    [Fact]
    public void A_sum_next_to_a_tie_is_one_code_off_in_what_libtorch_leaves_over()
    {
        using var oracle = new ElementwiseOracle();
        // Sums of an odd number of scales are ties of an output of twice the scale; what rounds to either side of one is searched for.
        (QParams a, QParams output, byte[] left, byte[] right) = Enumerable.Range(1, 100_000).Select(seed =>
        {
            QParams qparams = RandomCodes.QParams(seed);
            return (qparams, new QParams(2 * qparams.Scale, 100), RandomCodes.Codes(Block - 1, seed), RandomCodes.Codes(Block - 1, seed + 1));
        }).First(c => Differs(c.qparams, c.Item2, c.Item3, c.Item4));
        byte[] found = new byte[Block - 1];
        Int8Add.Add(left, a, right, a, found, output);
        byte[] expected = oracle.Pair("add", left, a, right, a, output);
        Assert.Equal(1, expected.Zip(found, (e, f) => Math.Abs(e - f)).Max());
    }

    [Fact]
    public void Products_beyond_the_integers_saturate_here_and_turn_over_in_libtorch()
    {
        using var oracle = new ElementwiseOracle();
        byte[] a = [.. Enumerable.Repeat((byte)255, Block)], found = new byte[Block];
        QParams large = new(1000, 0), small = new(1e-3f, 0);
        Int8Mul.Multiply(a, large, a, large, found, small);
        Assert.All(found, code => Assert.Equal(255, code));
        Assert.All(oracle.Pair("mul", a, large, a, large, small), code => Assert.Equal(0, code));
    }

    private static bool Differs(QParams qparams, QParams output, byte[] a, byte[] b)
    {
        byte[] found = new byte[a.Length];
        Int8Add.Add(a, qparams, b, qparams, found, output);
        for (int i = 0; i < a.Length; i++)
        {
            float sum = (a[i] - qparams.ZeroPoint) * qparams.Scale + (b[i] - qparams.ZeroPoint) * qparams.Scale;
            if (Math.Clamp(Math.Round((double)(sum * (1 / output.Scale)), MidpointRounding.ToEven) + output.ZeroPoint, 0, 255) != found[i])
                return true;
        }
        return false;
    }

    /// <summary>Equal and doubled scales, or powers of two, put many results on ties or next to them.</summary>
    private static (QParams A, QParams B, QParams Output) QParams(int seed)
    {
        var (a, b, output) = (RandomCodes.QParams(seed), RandomCodes.QParams(seed + 1), RandomCodes.QParams(seed + 2));
        return (seed % 4) switch
        {
            0 => (a, b with { Scale = a.Scale }, output with { Scale = 2 * a.Scale }),
            1 => (a, b with { Scale = 3 * a.Scale }, output with { Scale = 2 * a.Scale }),
            2 => (a with { Scale = 0.5f }, b with { Scale = 0.25f }, output with { Scale = 0.5f }),
            _ => (a, b, output),
        };
    }
}
