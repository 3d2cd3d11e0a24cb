namespace TorchQuant.Kernels;

/// <summary>
/// Between real numbers and 8-bit codes: code = clamp(round_half_even(x * (1 / scale)) + zeroPoint, quantMin, quantMax) and x = (code - zeroPoint) * scale.
/// NaN counts as 0, so gives the zero point; an infinity gives the nearest end of the range. Codes narrower than 8 bits (0..15) are kept one per byte.
/// </summary>
public static unsafe class Quantizer
{
    /// <summary>Quantizes to unsigned codes with one scale and zero point.</summary>
    /// <param name="x">The real numbers.</param>
    /// <param name="codes">Receives one code for each number of <paramref name="x"/>.</param>
    /// <param name="qparams">Scale and zero point; the zero point within 0..255.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the parameters are out of their range.</exception>
    public static void Quantize(ReadOnlySpan<float> x, Span<byte> codes, QParams qparams, int quantMin = 0, int quantMax = 255, int threads = 1)
    {
        Argument.HasLength(codes.Length, x.Length, nameof(codes), "as many as x");
        CheckUnsigned(qparams);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.IsCodeRange(quantMin, quantMax, byte.MinValue, byte.MaxValue);
        fixed (float* source = x)
        fixed (byte* target = codes)
            QuantizedPieces.Quantize(source, target, x.Length, qparams, quantMin, quantMax, threads);
    }

    /// <summary>Quantizes to signed codes with one scale and zero point.</summary>
    /// <param name="x">The real numbers.</param>
    /// <param name="codes">Receives one code for each number of <paramref name="x"/>.</param>
    /// <param name="qparams">Scale and zero point; the zero point within -128..127.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the parameters are out of their range.</exception>
    public static void Quantize(ReadOnlySpan<float> x, Span<sbyte> codes, QParams qparams, int quantMin = -128, int quantMax = 127, int threads = 1)
    {
        Argument.HasLength(codes.Length, x.Length, nameof(codes), "as many as x");
        CheckSigned(qparams);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.IsCodeRange(quantMin, quantMax, sbyte.MinValue, sbyte.MaxValue);
        fixed (float* source = x)
        fixed (sbyte* target = codes)
            QuantizedPieces.Quantize(source, (byte*)target, x.Length, qparams, quantMin, quantMax, threads);
    }

    /// <summary>Quantizes pictures with the channels first, x [batch, channels, positions], to unsigned codes with the channels last, [batch, positions, channels], in one pass.</summary>
    /// <param name="x">The real numbers; the batch is found from the length.</param>
    /// <param name="codes">Receives one code for each number of <paramref name="x"/>.</param>
    /// <param name="channels">The channels of a picture, at least 1.</param>
    /// <param name="positions">The places of a picture, height * width, at least 1.</param>
    /// <param name="qparams">Scale and zero point; the zero point within 0..255.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or the parameters are out of their range.</exception>
    public static void QuantizeChannelsLast(
        ReadOnlySpan<float> x, Span<byte> codes, int channels, int positions, QParams qparams, int quantMin = 0, int quantMax = 255, int threads = 1) =>
        QuantizeChannelsLast(Isa.Current, x, codes, channels, positions, qparams, quantMin, quantMax, threads);

    internal static void QuantizeChannelsLast(
        Isa isa, ReadOnlySpan<float> x, Span<byte> codes, int channels, int positions, QParams qparams, int quantMin, int quantMax, int threads)
    {
        Argument.HasLength(codes.Length, x.Length, nameof(codes), "as many as x");
        Argument.IsAtLeast(channels, 1, nameof(channels));
        Argument.IsAtLeast(positions, 1, nameof(positions));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        CheckUnsigned(qparams);
        Argument.IsCodeRange(quantMin, quantMax, byte.MinValue, byte.MaxValue);
        (long batch, long rest) = Math.DivRem(x.Length, (long)channels * positions);
        if (rest != 0)
            throw new ArgumentException($"x has {x.Length} elements; expected a multiple of {(long)channels * positions} (channels * positions).", nameof(x));
        fixed (float* source = x)
        fixed (byte* target = codes)
            new PlanesToPixels(source, target, channels, positions, qparams, quantMin, quantMax).Run(isa, (int)batch, threads);
    }

    /// <summary>Quantizes each channel of x [channels, inner] to unsigned codes with its own scale and zero point.</summary>
    /// <param name="x">The real numbers, row-major [channels, inner].</param>
    /// <param name="codes">Receives the codes, of the same shape.</param>
    /// <param name="scales">The scale of each channel.</param>
    /// <param name="zeroPoints">The zero point of each channel.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the parameters are out of their range.</exception>
    public static void QuantizePerChannel(ReadOnlySpan<float> x, Span<byte> codes, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int quantMin = 0, int quantMax = 255, int threads = 1)
    {
        Argument.HasLength(codes.Length, x.Length, nameof(codes), "as many as x");
        int inner = InnerLength(x.Length, scales.Length, zeroPoints.Length, nameof(x));
        for (int c = 0; c < scales.Length; c++)
            CheckUnsigned(new QParams(scales[c], zeroPoints[c]));
        Argument.IsCodeRange(quantMin, quantMax, byte.MinValue, byte.MaxValue);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (float* source = x, scale = scales)
        fixed (byte* target = codes)
        fixed (int* zeroPoint = zeroPoints)
            QuantizedPieces.QuantizeRows(source, target, scales.Length, inner, scale, zeroPoint, quantMin, quantMax, threads);
    }

    /// <summary>Quantizes each channel of x [channels, inner] to signed codes with its own scale and zero point.</summary>
    /// <param name="x">The real numbers, row-major [channels, inner].</param>
    /// <param name="codes">Receives the codes, of the same shape.</param>
    /// <param name="scales">The scale of each channel.</param>
    /// <param name="zeroPoints">The zero point of each channel.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the parameters are out of their range.</exception>
    public static void QuantizePerChannel(ReadOnlySpan<float> x, Span<sbyte> codes, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int quantMin = -128, int quantMax = 127, int threads = 1)
    {
        Argument.HasLength(codes.Length, x.Length, nameof(codes), "as many as x");
        int inner = InnerLength(x.Length, scales.Length, zeroPoints.Length, nameof(x));
        for (int c = 0; c < scales.Length; c++)
            CheckSigned(new QParams(scales[c], zeroPoints[c]));
        Argument.IsCodeRange(quantMin, quantMax, sbyte.MinValue, sbyte.MaxValue);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (float* source = x, scale = scales)
        fixed (sbyte* target = codes)
        fixed (int* zeroPoint = zeroPoints)
            QuantizedPieces.QuantizeRows(source, (byte*)target, scales.Length, inner, scale, zeroPoint, quantMin, quantMax, threads);
    }

    /// <summary>The real numbers of unsigned codes.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="x">Receives one number for each code.</param>
    /// <param name="qparams">Scale and zero point; the zero point within 0..255.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the parameters are out of their range.</exception>
    public static void Dequantize(ReadOnlySpan<byte> codes, Span<float> x, QParams qparams, int threads = 1)
    {
        Argument.HasLength(x.Length, codes.Length, nameof(x), "as many as codes");
        CheckUnsigned(qparams);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (byte* source = codes)
        fixed (float* target = x)
            QuantizedPieces.Dequantize(source, signed: false, target, x.Length, qparams, threads);
    }

    /// <summary>The real numbers of signed codes.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="x">Receives one number for each code.</param>
    /// <param name="qparams">Scale and zero point; the zero point within -128..127.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the parameters are out of their range.</exception>
    public static void Dequantize(ReadOnlySpan<sbyte> codes, Span<float> x, QParams qparams, int threads = 1)
    {
        Argument.HasLength(x.Length, codes.Length, nameof(x), "as many as codes");
        CheckSigned(qparams);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (sbyte* source = codes)
        fixed (float* target = x)
            QuantizedPieces.Dequantize((byte*)source, signed: true, target, x.Length, qparams, threads);
    }

    /// <summary>The real numbers of unsigned codes [channels, inner], each channel with its own scale and zero point.</summary>
    /// <param name="codes">The codes, row-major [channels, inner].</param>
    /// <param name="x">Receives the numbers, of the same shape.</param>
    /// <param name="scales">The scale of each channel.</param>
    /// <param name="zeroPoints">The zero point of each channel.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the parameters are out of their range.</exception>
    public static void DequantizePerChannel(ReadOnlySpan<byte> codes, Span<float> x, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int threads = 1)
    {
        Argument.HasLength(x.Length, codes.Length, nameof(x), "as many as codes");
        int inner = InnerLength(codes.Length, scales.Length, zeroPoints.Length, nameof(codes));
        for (int c = 0; c < scales.Length; c++)
            CheckUnsigned(new QParams(scales[c], zeroPoints[c]));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (byte* source = codes)
        fixed (float* target = x, scale = scales)
        fixed (int* zeroPoint = zeroPoints)
            QuantizedPieces.DequantizeRows(source, signed: false, target, scales.Length, inner, scale, zeroPoint, threads);
    }

    /// <summary>The real numbers of signed codes [channels, inner], each channel with its own scale and zero point.</summary>
    /// <param name="codes">The codes, row-major [channels, inner].</param>
    /// <param name="x">Receives the numbers, of the same shape.</param>
    /// <param name="scales">The scale of each channel.</param>
    /// <param name="zeroPoints">The zero point of each channel.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the parameters are out of their range.</exception>
    public static void DequantizePerChannel(ReadOnlySpan<sbyte> codes, Span<float> x, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int threads = 1)
    {
        Argument.HasLength(x.Length, codes.Length, nameof(x), "as many as codes");
        int inner = InnerLength(codes.Length, scales.Length, zeroPoints.Length, nameof(codes));
        for (int c = 0; c < scales.Length; c++)
            CheckSigned(new QParams(scales[c], zeroPoints[c]));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (sbyte* source = codes)
        fixed (float* target = x, scale = scales)
        fixed (int* zeroPoint = zeroPoints)
            QuantizedPieces.DequantizeRows((byte*)source, signed: true, target, scales.Length, inner, scale, zeroPoint, threads);
    }

    private static void CheckUnsigned(QParams qparams)
    {
        Argument.IsScale(qparams.Scale, nameof(qparams));
        Argument.IsZeroPoint(qparams.ZeroPoint, byte.MinValue, byte.MaxValue, nameof(qparams));
    }

    private static void CheckSigned(QParams qparams)
    {
        Argument.IsScale(qparams.Scale, nameof(qparams));
        Argument.IsZeroPoint(qparams.ZeroPoint, sbyte.MinValue, sbyte.MaxValue, nameof(qparams));
    }

    private static int InnerLength(int length, int channels, int zeroPoints, string name)
    {
        Argument.HasLength(zeroPoints, channels, nameof(zeroPoints), "one for each scale");
        if (channels == 0 ? length != 0 : length % channels != 0)
            throw new ArgumentException($"{name} has {length} elements; expected a multiple of the {channels} channels.", name);
        return channels == 0 ? 0 : length / channels;
    }
}
