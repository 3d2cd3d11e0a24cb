using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Fake quantization, for training with the errors of quantization: y = (clamp(q, quantMin, quantMax) - zeroPoint) * scale with q = round_half_even(x * (1 / scale)) + zeroPoint, and its
/// straight-through gradient: dx = dy where q lies within quantMin..quantMax (ends included), else 0 (Jacob et al. 2018, section 3; ATen's fake_quantize kernels).
/// x is [outer, channels, inner] with a scale and a zero point for each channel; one channel for a whole tensor.
/// </summary>
public static unsafe class FakeQuantizer
{
    /// <summary>Elements that one unit of a thread's work has: large enough to pay for handing it out, small enough to balance.</summary>
    private const int BlockLength = 16 * 1024;

    private const long PicosecondsPerElement = 200;

    /// <summary>Quantizes and dequantizes.</summary>
    /// <param name="x">The real numbers, row-major [outer, channels, inner], whose sizes follow from the lengths.</param>
    /// <param name="y">Receives as many.</param>
    /// <param name="outside">Receives as many: 0 where the code lies within the range, -1 below it, 1 above it. What the gradient needs.</param>
    /// <param name="scales">One for each channel.</param>
    /// <param name="zeroPoints">One for each channel, within quantMin..quantMax.</param>
    /// <param name="inner">Numbers that follow one another with the same channel; 0 if there is one channel.</param>
    /// <param name="quantMin">The smallest code.</param>
    /// <param name="quantMax">The largest code.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <returns>Whether all of x are numbers: a NaN gives real zero, and false is returned.</returns>
    /// <exception cref="ArgumentException">Lengths do not fit together, or a parameter is out of its range.</exception>
    public static bool Forward(ReadOnlySpan<float> x, Span<float> y, Span<sbyte> outside, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int inner, int quantMin, int quantMax, int threads = 1) =>
        Forward(Isa.Current, x, y, outside, scales, zeroPoints, inner, quantMin, quantMax, threads);

    /// <summary>The straight-through gradient: dx = dy where <paramref name="outside"/> is 0, dy * 0 elsewhere.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="outside">What the forward pass gave.</param>
    /// <param name="dx">Receives the gradient of the input.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Backward(ReadOnlySpan<float> dy, ReadOnlySpan<sbyte> outside, Span<float> dx, int threads = 1) => Backward(Isa.Current, dy, outside, dx, threads);

    internal static bool Forward(
        Isa isa, ReadOnlySpan<float> x, Span<float> y, Span<sbyte> outside, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int inner, int quantMin, int quantMax, int threads)
    {
        Argument.HasLength(y.Length, x.Length, nameof(y), "as many as x");
        Argument.HasLength(outside.Length, x.Length, nameof(outside), "as many as x");
        Argument.HasLength(zeroPoints.Length, scales.Length, nameof(zeroPoints), "one for each scale");
        Argument.IsAtLeast(scales.Length, 1, nameof(scales));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.IsCodeRange(quantMin, quantMax, short.MinValue, short.MaxValue);
        for (int c = 0; c < scales.Length; c++)
        {
            Argument.IsScale(scales[c], nameof(scales));
            Argument.IsZeroPoint(zeroPoints[c], quantMin, quantMax, nameof(zeroPoints));
        }

        int runLength = scales.Length == 1 ? x.Length : inner;
        if (x.IsEmpty)
            return true;
        Argument.IsAtLeast(runLength, 1, nameof(inner));
        if (x.Length % ((long)runLength * scales.Length) != 0)
            throw new ArgumentException($"x has {x.Length} elements; expected a multiple of {scales.Length} channels of {runLength}.", nameof(x));
        int nans = 0;
        int blocks = (runLength + BlockLength - 1) / BlockLength;
        fixed (float* source = x, target = y, scale = scales)
        fixed (sbyte* side = outside)
        fixed (int* zeroPoint = zeroPoints)
        {
            var body = new ForwardBlock(source, target, side, scale, zeroPoint, scales.Length, runLength, blocks, quantMin, quantMax, &nans);
            isa.Run(new RowLoop<ForwardBlock>(body, checked(x.Length / runLength * blocks), threads, Math.Min(runLength, BlockLength) * PicosecondsPerElement / 1000 + 1));
        }

        return nans == 0;
    }

    internal static void Backward(Isa isa, ReadOnlySpan<float> dy, ReadOnlySpan<sbyte> outside, Span<float> dx, int threads)
    {
        Argument.HasLength(outside.Length, dy.Length, nameof(outside), "as many as dy");
        Argument.HasLength(dx.Length, dy.Length, nameof(dx), "as many as dy");
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (float* gradient = dy, result = dx)
        fixed (sbyte* side = outside)
        {
            var body = new BackwardBlock(gradient, side, result, dy.Length);
            isa.Run(new RowLoop<BackwardBlock>(body, (dy.Length + BlockLength - 1) / BlockLength, threads, BlockLength * PicosecondsPerElement / 1000));
        }
    }

    /// <summary>A part of one channel's run.</summary>
    private readonly struct ForwardBlock(float* x, float* y, sbyte* outside, float* scales, int* zeroPoints, int channels, int runLength, int blocks, int low, int high, int* nans) : IRowBody
    {
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint run = row / blocks, begin = row % blocks * BlockLength, at = run * runLength + begin;
            nint count = nint.Min(BlockLength, runLength - begin);
            int channel = (int)(run % channels);
            if (Quantize<TLanes, TFloat, TInt>(x + at, y + at, outside + at, count, scales[channel], low - zeroPoints[channel], high - zeroPoints[channel]))
                Interlocked.Increment(ref *nans);
        }

        /// <summary>In units of the scale the range is lowest..highest. Clamped one unit wider before rounding, what lies outside rounds to another number than clamped to the range.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static bool Quantize<TLanes, TFloat, TInt>(float* x, float* y, sbyte* outside, nint count, float scale, int lowest, int highest) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat inverse = TLanes.Broadcast(1f / scale), step = TLanes.Broadcast(scale), low = TLanes.Broadcast(lowest), high = TLanes.Broadcast(highest);
            TFloat below = TLanes.Broadcast(lowest - 1), above = TLanes.Broadcast(highest + 1);
            TInt magnitude = TLanes.BroadcastInt(0);
            nint i = 0;
            for (; i <= count - TLanes.Count; i += TLanes.Count)
            {
                TFloat value = TLanes.Load(x + i);
                magnitude = TLanes.MaxInt(magnitude, TLanes.MagnitudeBits(value));
                TFloat scaled = TLanes.ZeroIfNaN(TLanes.Multiply(value, inverse));
                TInt wide = TLanes.RoundToInt(TLanes.Min(TLanes.Max(scaled, below), above));
                TInt code = TLanes.RoundToInt(TLanes.Min(TLanes.Max(scaled, low), high));
                TLanes.Store(TLanes.Multiply(TLanes.ToFloat(code), step), y + i);
                TLanes.StoreBytes(TLanes.SubtractInt(wide, code), (byte*)outside + i);
            }

            bool hasNaN = TLanes.MaxAcrossInt(magnitude) > 0x7F800000;
            return i < count ? hasNaN | Quantize<ScalarLanes, float, int>(x + i, y + i, outside + i, count - i, scale, lowest, highest) : hasNaN;
        }
    }

    private readonly struct BackwardBlock(float* dy, sbyte* outside, float* dx, nint length) : IRowBody
    {
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint at = row * BlockLength;
            Mask<TLanes, TFloat, TInt>(dy + at, outside + at, dx + at, nint.Min(BlockLength, length - at));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Mask<TLanes, TFloat, TInt>(float* dy, sbyte* outside, float* dx, nint count) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TInt one = TLanes.BroadcastInt(1);
            nint i = 0;
            for (; i <= count - TLanes.Count; i += TLanes.Count)
            {
                TInt side = TLanes.LoadSBytes(outside + i);
                TFloat inside = TLanes.ToFloat(TLanes.SubtractInt(one, TLanes.MultiplyInt(side, side)));
                TLanes.Store(TLanes.Multiply(TLanes.Load(dy + i), inside), dx + i);
            }

            if (i < count)
                Mask<ScalarLanes, float, int>(dy + i, outside + i, dx + i, count - i);
        }
    }
}
