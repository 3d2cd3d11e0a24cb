namespace TorchQuant.Kernels.Tests;

/// <summary>Int8 weights as a test holds them: plain codes [N, K] with one or N scales, and no, one or N zero points.</summary>
internal sealed record Weights(sbyte[] Codes, int N, int K, float[] Scales, int[] ZeroPoints)
{
    public float Scale(int n) => Scales[Scales.Length == 1 ? 0 : n];

    public int ZeroPoint(int n) => ZeroPoints.Length == 0 ? 0 : ZeroPoints[ZeroPoints.Length == 1 ? 0 : n];

    public PackedWeights Pack() => PackedWeights.Pack(Codes, N, K, Scales, ZeroPoints);
}

/// <summary>How the scales and zero points of generated weights are laid out.</summary>
public enum Scheme
{
    PerTensorSymmetric,
    PerTensorAffine,
    PerChannelSymmetric,
    PerChannelAffine,
}

/// <summary>Random test data from a seed, with extremes more often than chance would give them. Pure: the same seed gives the same data.</summary>
internal static class Generators
{
    /// <summary>What no vector width may treat in its own way: ties, both zeros, subnormals, infinities, numbers without a code, NaNs of both signs.</summary>
    private static readonly float[] s_special =
    [
        0, -0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity,
        float.NaN, BitConverter.Int32BitsToSingle(0x7FC00001), BitConverter.Int32BitsToSingle(unchecked((int)0xFF800001)), 127.5f, 254.5f, 255.5f, -128.5f, 2147483648f, -2147483904f,
    ];

    /// <summary>Codes that are extreme in about a third of the places, and everywhere for every fourth seed.</summary>
    public static byte[] Activations(int length, int seed)
    {
        var random = new Random(seed);
        byte[] codes = new byte[length];
        for (int i = 0; i < length; i++)
            codes[i] = IsExtreme(random, seed) ? (byte)(random.Next(2) * 255) : (byte)random.Next(256);
        return codes;
    }

    public static Weights Weights(int n, int k, int seed, Scheme scheme = Scheme.PerChannelSymmetric)
    {
        var random = new Random(seed);
        sbyte[] codes = new sbyte[n * k];
        for (int i = 0; i < codes.Length; i++)
            codes[i] = IsExtreme(random, seed) ? (sbyte)(random.Next(2) * 255 - 128) : (sbyte)random.Next(-128, 128);
        bool perChannel = scheme is Scheme.PerChannelSymmetric or Scheme.PerChannelAffine;
        bool affine = scheme is Scheme.PerTensorAffine or Scheme.PerChannelAffine;
        float[] scales = new float[perChannel ? n : 1];
        for (int i = 0; i < scales.Length; i++)
            scales[i] = Scale(random);
        int[] zeroPoints = new int[affine ? scales.Length : 0];
        for (int i = 0; i < zeroPoints.Length; i++)
            zeroPoints[i] = random.Next(-128, 128);
        return new Weights(codes, n, k, scales, zeroPoints);
    }

    /// <summary>Parameters for uint8 codes; the zero point is an end of the range in half of the cases.</summary>
    public static QParams QParams(int seed)
    {
        var random = new Random(seed);
        return new QParams(Scale(random), random.Next(4) switch { 0 => 0, 1 => 255, _ => random.Next(256) });
    }

    /// <summary>Floats of which a third is special.</summary>
    public static float[] Numbers(int length, int seed)
    {
        var random = new Random(seed);
        float[] x = Floats(length, seed, magnitude: 300);
        for (int i = 0; i < length; i++)
        {
            if (random.Next(3) == 0)
                x[i] = s_special[random.Next(s_special.Length)];
        }

        return x;
    }

    public static float[] Floats(int length, int seed, float magnitude = 10)
    {
        var random = new Random(seed);
        float[] x = new float[length];
        for (int i = 0; i < length; i++)
            x[i] = (float)(random.NextDouble() * 2 - 1) * magnitude;
        return x;
    }

    private static float Scale(Random random) => (float)Math.Exp(random.NextDouble() * 8 - 7);

    private static bool IsExtreme(Random random, int seed) => seed % 4 == 0 || random.Next(3) == 0;
}
