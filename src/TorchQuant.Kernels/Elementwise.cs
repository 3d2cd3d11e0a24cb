using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The elementwise loops, written once for every vector width. What a vector leaves over is done by the same loop with <see cref="ScalarLanes"/>.</summary>
internal static unsafe class Elementwise<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int InfinityBits = 0x7F800000;
    private const float LargestRounded = 1 << 30;

    /// <summary>
    /// The one place that rounds a real number to a code: clamp(round_half_even(scaled) + zeroPoint, low, high), where NaN counts as 0.
    /// The zero point is added after rounding; <paramref name="lowest"/> = low - zeroPoint and <paramref name="highest"/> = high - zeroPoint are whole, so clamping
    /// first is the same and keeps the conversion within int32.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt ToCodes(TFloat scaled, TFloat lowest, TFloat highest, TInt zeroPoint) =>
        NumbersToCodes(TLanes.ZeroIfNaN(scaled), lowest, highest, zeroPoint);

    /// <summary>The same for what cannot be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt NumbersToCodes(TFloat scaled, TFloat lowest, TFloat highest, TInt zeroPoint) =>
        TLanes.AddInt(TLanes.RoundToInt(TLanes.Min(TLanes.Max(scaled, lowest), highest)), zeroPoint);

    /// <summary>Rounds half to even, where NaN counts as 0. What passes the int32 comes out far beyond the codes on its side: the conversion gives the smallest for what is too small.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Round(TFloat scaled) => TLanes.RoundToInt(TLanes.Min(TLanes.ZeroIfNaN(scaled), TLanes.Broadcast(LargestRounded)));

    /// <summary>codes[i] = clamp(round_half_even(x[i] * (1 / scale)) + zeroPoint, low, high). The reciprocal, not a division: they can differ by one code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(float* x, byte* codes, nint count, QParams qparams, int low, int high)
    {
        TFloat inverse = TLanes.Broadcast(1f / qparams.Scale);
        nint i = 0;
        // Packed integers saturate to unsigned codes.
        if (low >= byte.MinValue)
        {
            TInt zero = TLanes.BroadcastShort((short)qparams.ZeroPoint), least = TLanes.BroadcastByte((byte)low), most = TLanes.BroadcastByte((byte)high);
            for (; i <= count - 4 * TLanes.Count; i += 4 * TLanes.Count)
            {
                TInt first = Round(TLanes.Multiply(TLanes.Load(x + i), inverse)), second = Round(TLanes.Multiply(TLanes.Load(x + i + TLanes.Count), inverse));
                TInt third = Round(TLanes.Multiply(TLanes.Load(x + i + 2 * TLanes.Count), inverse)), fourth = Round(TLanes.Multiply(TLanes.Load(x + i + 3 * TLanes.Count), inverse));
                TLanes.StoreCodes(first, second, third, fourth, zero, least, most, codes + i);
            }
        }

        TFloat lowest = TLanes.Broadcast(low - qparams.ZeroPoint), highest = TLanes.Broadcast(high - qparams.ZeroPoint);
        TInt zeroPoint = TLanes.BroadcastInt(qparams.ZeroPoint);
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.StoreBytes(ToCodes(TLanes.Multiply(TLanes.Load(x + i), inverse), lowest, highest, zeroPoint), codes + i);
        if (i < count)
            Elementwise<ScalarLanes, float, int>.Quantize(x + i, codes + i, count - i, qparams, low, high);
    }

    /// <summary>
    /// codes[i] = clamp(round_half_even(fma(x[i], 1 / scale, zeroPoint)), 0, 255): how libtorch's dynamic kernels (FBGEMM's packing) quantize activations. The zero
    /// point goes in before rounding, so a tie falls the other way where it is odd, and one rounding less moves what is next to a tie.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void QuantizeDynamic(float* x, byte* codes, nint count, QParams qparams)
    {
        TFloat inverse = TLanes.Broadcast(1f / qparams.Scale), zeroPoint = TLanes.Broadcast(qparams.ZeroPoint);
        TInt none = TLanes.BroadcastShort(0), least = TLanes.BroadcastByte(byte.MinValue), most = TLanes.BroadcastByte(byte.MaxValue);
        nint i = 0;
        for (; i <= count - 4 * TLanes.Count; i += 4 * TLanes.Count)
        {
            TInt first = Round(TLanes.FusedMultiplyAdd(TLanes.Load(x + i), inverse, zeroPoint));
            TInt second = Round(TLanes.FusedMultiplyAdd(TLanes.Load(x + i + TLanes.Count), inverse, zeroPoint));
            TInt third = Round(TLanes.FusedMultiplyAdd(TLanes.Load(x + i + 2 * TLanes.Count), inverse, zeroPoint));
            TInt fourth = Round(TLanes.FusedMultiplyAdd(TLanes.Load(x + i + 3 * TLanes.Count), inverse, zeroPoint));
            TLanes.StoreCodes(first, second, third, fourth, none, least, most, codes + i);
        }

        TFloat lowest = TLanes.Broadcast(byte.MinValue), highest = TLanes.Broadcast(byte.MaxValue);
        TInt zero = TLanes.BroadcastInt(0);
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.StoreBytes(ToCodes(TLanes.FusedMultiplyAdd(TLanes.Load(x + i), inverse, zeroPoint), lowest, highest, zero), codes + i);
        if (i < count)
            Elementwise<ScalarLanes, float, int>.QuantizeDynamic(x + i, codes + i, count - i, qparams);
    }

    /// <summary>x[i] = float(codes[i] - zeroPoint) * scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* codes, bool signed, float* x, nint count, QParams qparams)
    {
        TFloat scale = TLanes.Broadcast(qparams.Scale);
        TInt zeroPoint = TLanes.BroadcastInt(qparams.ZeroPoint);
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TInt code = signed ? TLanes.LoadSBytes((sbyte*)codes + i) : TLanes.LoadBytes(codes + i);
            TLanes.Store(TLanes.Multiply(TLanes.ToFloat(TLanes.SubtractInt(code, zeroPoint)), scale), x + i);
        }

        if (i < count)
            Elementwise<ScalarLanes, float, int>.Dequantize(codes + i, signed, x + i, count - i, qparams);
    }

    /// <summary>The smallest and the largest of at least one number, both NaN if any is NaN. Zeros come out as +0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Min, float Max) MinMax(float* x, nint count)
    {
        if (count < TLanes.Count)
            return Elementwise<ScalarLanes, float, int>.MinMax(x, count);

        TFloat min = TLanes.Load(x), max = min, otherMin = min, otherMax = min;
        TInt magnitude = TLanes.MagnitudeBits(min), otherMagnitude = magnitude;
        nint i = TLanes.Count;
        // Two chains of comparisons, since each waits for its last.
        for (; i <= count - 2 * TLanes.Count; i += 2 * TLanes.Count)
        {
            TFloat value = TLanes.Load(x + i), other = TLanes.Load(x + i + TLanes.Count);
            min = TLanes.Min(min, value);
            otherMin = TLanes.Min(otherMin, other);
            max = TLanes.Max(max, value);
            otherMax = TLanes.Max(otherMax, other);
            magnitude = TLanes.MaxInt(magnitude, TLanes.MagnitudeBits(value));
            otherMagnitude = TLanes.MaxInt(otherMagnitude, TLanes.MagnitudeBits(other));
        }

        (min, max, magnitude) = (TLanes.Min(min, otherMin), TLanes.Max(max, otherMax), TLanes.MaxInt(magnitude, otherMagnitude));
        // The last vector may overlap the one before: a number looked at twice changes nothing.
        for (; i < count; i += TLanes.Count)
        {
            TFloat value = TLanes.Load(x + nint.Min(i, count - TLanes.Count));
            min = TLanes.Min(min, value);
            max = TLanes.Max(max, value);
            magnitude = TLanes.MaxInt(magnitude, TLanes.MagnitudeBits(value));
        }

        // Min and max skip or keep a NaN depending on the machine, so it is told by its bits.
        if (TLanes.MaxAcrossInt(magnitude) > InfinityBits)
            return (float.NaN, float.NaN);
        return (TLanes.MinAcross(min) + 0f, TLanes.MaxAcross(max) + 0f);
    }

    /// <summary>The sum of the codes of a row, for weights whose zero point is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Sum(byte* codes, nint count)
    {
        TInt sum = TLanes.BroadcastInt(0);
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            sum = TLanes.AddInt(sum, TLanes.LoadBytes(codes + i));
        int rest = i < count ? Elementwise<ScalarLanes, float, int>.Sum(codes + i, count - i) : 0;
        return TLanes.SumAcrossInt(sum) + rest;
    }
}
