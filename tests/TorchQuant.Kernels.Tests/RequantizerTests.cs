using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public unsafe class RequantizerTests
{
    private const int Canaries = 40;

    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Every_row_equals_the_reference_at_every_number_of_channels(Isa isa)
    {
        for (int channels = 1; channels <= 67; channels++)
        {
            foreach (bool perChannel in new[] { false, true })
            {
                int[] sums = Sums(3 * channels, seed: channels);
                float[] multipliers = Multipliers(perChannel ? channels : 1, seed: channels);
                foreach ((int zeroPoint, int low, int high) in new[] { (0, 0, 255), (131, 0, 255), (131, 131, 255), (-5, -128, 127), (0, -127, 127), (9, 0, 15) })
                {
                    byte[] codes = new byte[sums.Length + 2 * Canaries];
                    Array.Fill(codes, (byte)99);
                    fixed (byte* target = codes)
                        Requantizer.Requantize(isa, sums, target + Canaries, sums.Length, multipliers, zeroPoint, low, high);
                    IEnumerable<byte> expected = sums.Select((sum, i) => unchecked((byte)Reference(sum, multipliers[i % multipliers.Length], zeroPoint, low, high)));
                    Assert.Equal([.. Enumerable.Repeat((byte)99, Canaries), .. expected, .. Enumerable.Repeat((byte)99, Canaries)], codes);
                }
            }
        }
    }

    [Property(MaxTest = 300)]
    public void Signed_and_unsigned_codes_differ_by_128_where_their_zero_points_do(int[] sums, byte zeroPoint)
    {
        byte[] unsigned = new byte[sums.Length];
        sbyte[] signed = new sbyte[sums.Length];
        Requantizer.Requantize(sums, unsigned, [0.01f], zeroPoint);
        Requantizer.Requantize(sums, signed, [0.01f], zeroPoint - 128);
        Assert.Equal(unsigned.Select(code => code - 128), signed.Select(code => (int)code));
    }

    [Fact]
    public void The_gemm_requantizes_its_own_sums_in_the_same_way()
    {
        const int m = 5, n = 40, k = 19;
        byte[] a = Generators.Activations(m * k, seed: 3);
        Weights w = Generators.Weights(n, k, seed: 4);
        PackedWeights packed = w.Pack();
        QParams activation = new(0.05f, 13), output = new(0.4f, 77);
        int[] sums = new int[m * n];
        Int8Gemm.MultiplyToInt32(a, m, activation.ZeroPoint, packed, sums, threads: 1);
        byte[] fused = new byte[m * n], apart = new byte[m * n];
        Int8Gemm.MultiplyToByte(a, m, activation, packed, [], output, FusedActivation.Relu, fused, threads: 1);
        float[] multipliers = [.. w.Scales.Select(scale => activation.Scale * scale / output.Scale)];
        Requantizer.Requantize(sums, apart, multipliers, output.ZeroPoint, quantMin: output.ZeroPoint);
        Assert.Equal(fused, apart);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.Contains("sums has 5 elements; expected a multiple of the 2", Refusal(() => Requantizer.Requantize(new int[5], new byte[5], [1f, 1f], 0)));
        Assert.Contains("codes has 4 elements; expected 5", Refusal(() => Requantizer.Requantize(new int[5], new byte[4], [1f], 0)));
        Assert.Contains("multipliers is 0; expected at least 1", Refusal(() => Requantizer.Requantize(new int[5], new byte[5], [], 0)));
        Assert.Contains("multipliers holds NaN", Refusal(() => Requantizer.Requantize(new int[5], new byte[5], [float.NaN], 0)));
        Assert.Contains("zeroPoint has the zero point 256", Refusal(() => Requantizer.Requantize(new int[5], new byte[5], [1f], 256)));
        Assert.Contains("zeroPoint has the zero point 128", Refusal(() => Requantizer.Requantize(new int[5], new sbyte[5], [1f], 128)));
        Assert.Contains("quantMin to quantMax is 3 to 3", Refusal(() => Requantizer.Requantize(new int[5], new byte[5], [1f], 0, 3, 3)));
    }

    private static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static int Reference(int sum, float multiplier, int zeroPoint, int low, int high) =>
        (int)Math.Clamp(Math.Round((double)((float)sum * multiplier), MidpointRounding.ToEven) + zeroPoint, low, high);

    private static int[] Sums(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(i => i % 7 == 0 ? (i % 2 == 0 ? int.MaxValue : int.MinValue) : random.Next(-40_000, 40_000))];
    }

    private static float[] Multipliers(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(i => i % 5 == 0 ? 0.5f : (float)Math.Exp(random.NextDouble() * 8 - 8))]; // 0.5: ties
    }
}
