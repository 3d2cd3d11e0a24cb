using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Data;

/// <summary>
/// Random data as networks have it. Activations have 7 bits, as PyTorch's x86 backends quantize them (reduce_range), so that engines whose multiply-adds saturate
/// compute the same as the others; no kernel's time depends on the values.
/// </summary>
internal static class Draw
{
    private const int Codes = 128;

    public static readonly QParams Activations = new(0.02f, 64);

    public static byte[] ActivationCodes(int count, Random random)
    {
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++)
            codes[i] = (byte)random.Next(Codes);
        return codes;
    }

    public static sbyte[] WeightCodes(int count, Random random)
    {
        sbyte[] codes = new sbyte[count];
        for (int i = 0; i < count; i++)
            codes[i] = (sbyte)random.Next(-127, 128);
        return codes;
    }

    /// <summary>Scales of weights: one for each output, in a range of one to two.</summary>
    public static float[] Scales(int count, Random random)
    {
        float[] scales = new float[count];
        for (int i = 0; i < count; i++)
            scales[i] = 0.0005f * (1 + random.NextSingle());
        return scales;
    }

    /// <summary>Real numbers within -limit..limit.</summary>
    public static float[] Floats(int count, float limit, Random random)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = limit * (2 * random.NextSingle() - 1);
        return values;
    }

    /// <summary>scale * (code - zero point).</summary>
    public static float[] Dequantized(byte[] codes, QParams qparams) => Array.ConvertAll(codes, code => qparams.Scale * (code - qparams.ZeroPoint));

    /// <summary>Rows of weight codes times their scales.</summary>
    public static float[] Dequantized(sbyte[] codes, float[] scales)
    {
        int row = codes.Length / scales.Length;
        float[] values = new float[codes.Length];
        for (int i = 0; i < codes.Length; i++)
            values[i] = scales[i / row] * codes[i];
        return values;
    }
}
