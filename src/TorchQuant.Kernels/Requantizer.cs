using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// From the sums of an integer product to the codes of its output: code = clamp(round_half_even(float(sum) * multiplier) + zeroPoint, quantMin, quantMax), with the
/// multiplier = input scale * weight scale / output scale, one for all or one for each channel (FBGEMM's float requantization). A fused ReLU is quantMin = zeroPoint.
/// <see cref="Int8Gemm"/> does the same on its tiles, with the bias; this is for sums that come from elsewhere.
/// </summary>
public static unsafe class Requantizer
{
    /// <summary>Requantizes to unsigned codes.</summary>
    /// <param name="sums">The sums, row-major [rows, channels], without the zero points' part.</param>
    /// <param name="codes">Receives the codes, of the same shape.</param>
    /// <param name="multipliers">One for all, or one for each channel; finite.</param>
    /// <param name="zeroPoint">The output's zero point, within 0..255.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Requantize(ReadOnlySpan<int> sums, Span<byte> codes, ReadOnlySpan<float> multipliers, int zeroPoint, int quantMin = 0, int quantMax = 255)
    {
        Argument.IsZeroPoint(zeroPoint, byte.MinValue, byte.MaxValue, nameof(zeroPoint));
        Argument.IsCodeRange(quantMin, quantMax, byte.MinValue, byte.MaxValue);
        fixed (byte* target = codes)
            Requantize(Isa.Current, sums, target, codes.Length, multipliers, zeroPoint, quantMin, quantMax);
    }

    /// <summary>Requantizes to signed codes.</summary>
    /// <param name="sums">The sums, row-major [rows, channels], without the zero points' part.</param>
    /// <param name="codes">Receives the codes, of the same shape.</param>
    /// <param name="multipliers">One for all, or one for each channel; finite.</param>
    /// <param name="zeroPoint">The output's zero point, within -128..127.</param>
    /// <param name="quantMin">The smallest code to give.</param>
    /// <param name="quantMax">The largest code to give.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Requantize(ReadOnlySpan<int> sums, Span<sbyte> codes, ReadOnlySpan<float> multipliers, int zeroPoint, int quantMin = -128, int quantMax = 127)
    {
        Argument.IsZeroPoint(zeroPoint, sbyte.MinValue, sbyte.MaxValue, nameof(zeroPoint));
        Argument.IsCodeRange(quantMin, quantMax, sbyte.MinValue, sbyte.MaxValue);
        fixed (sbyte* target = codes)
            Requantize(Isa.Current, sums, (byte*)target, codes.Length, multipliers, zeroPoint, quantMin, quantMax);
    }

    internal static void Requantize(Isa isa, ReadOnlySpan<int> sums, byte* codes, int count, ReadOnlySpan<float> multipliers, int zeroPoint, int quantMin, int quantMax)
    {
        Argument.HasLength(count, sums.Length, nameof(codes), "as many as sums");
        Argument.IsAtLeast(multipliers.Length, 1, nameof(multipliers));
        if (sums.Length % multipliers.Length != 0)
            throw new ArgumentException($"sums has {sums.Length} elements; expected a multiple of the {multipliers.Length} channels of multipliers.", nameof(sums));
        Argument.IsFinite(multipliers, nameof(multipliers));

        // One multiplier: a single row. One for each channel: row by row.
        int rowLength = multipliers.Length == 1 ? sums.Length : multipliers.Length;
        fixed (int* source = sums)
        fixed (float* multiplier = multipliers)
        {
            for (int at = 0; at < sums.Length; at += rowLength)
            {
                var row = new Row(source + at, codes + at, multiplier, multipliers.Length > 1, zeroPoint, quantMin, quantMax);
                isa.Run(new LaneLoop<Row>(row, rowLength));
            }
        }
    }

    private readonly struct Row(int* sums, byte* codes, float* multipliers, bool isPerChannel, int zeroPoint, int low, int high) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat multiplier = isPerChannel ? TLanes.Load(multipliers + i) : TLanes.Broadcast(*multipliers);
            TFloat scaled = TLanes.Multiply(TLanes.ToFloat(TLanes.LoadInt(sums + i)), multiplier);
            TInt code = Elementwise<TLanes, TFloat, TInt>.ToCodes(
                scaled, TLanes.Broadcast(low - zeroPoint), TLanes.Broadcast(high - zeroPoint), TLanes.BroadcastInt(zeroPoint));
            TLanes.StoreBytes(code, codes + i);
        }
    }
}
