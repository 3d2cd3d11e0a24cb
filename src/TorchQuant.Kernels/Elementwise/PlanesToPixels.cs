using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Quantizes pictures with the channels first, x [batch, channels, positions], to codes with the channels last, [batch, positions, channels], in one pass. A vector holds neighbouring positions of one channel; the codes of four
/// channels are put together in its 32-bit numbers, and those of sixteen in its 128-bit blocks.
/// </summary>
internal readonly unsafe struct PlanesToPixels(float* x, byte* codes, int channels, int positions, QParams qparams, int low, int high) : IRowBody
{
    /// <summary>So many codes come out of the cache that they were written to, and are enough to be worth a thread's claim.</summary>
    private const int PieceLength = 16384;

    private const int CodesPerNanosecond = 8, BytesInInt = 4, BlockChannels = 16;

    /// <summary>A piece has at least as many positions as the widest vector, and whole cache lines of them.</summary>
    private const int LeastPositions = 64;

    /// <summary>How far ahead each plane is fetched, in floats. Measured, with pictures that are not in the cache: 256 took 1.25 times as long, 2048 as long.</summary>
    private const int FetchedAhead = 512;

    private int PiecePositions => Math.Max(LeastPositions, PieceLength / channels / LeastPositions * LeastPositions);

    private int Pieces => (int)((positions + (long)PiecePositions - 1) / PiecePositions);

    /// <summary>Quantizes all pictures.</summary>
    public void Run(Isa isa, int batch, int threads) =>
        isa.Run(new RowLoop<PlanesToPixels>(this, batch * Pieces, threads, 1 + (long)Math.Min(positions, PiecePositions) * channels / CodesPerNanosecond));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
    {
        (nint picture, nint piece) = Math.DivRem(row, Pieces);
        nint first = piece * PiecePositions;
        Piece<TLanes, TFloat, TInt>(x + picture * channels * positions + first, codes + (picture * positions + first) * channels, nint.Min(PiecePositions, positions - first));
    }

    private void Piece<TLanes, TFloat, TInt>(float* source, byte* target, nint count) where TLanes : struct, ILanes<TFloat, TInt>
    {
        if (count < TLanes.Count)
        {
            Piece<ScalarLanes, float, int>(source, target, count);
            return;
        }

        if (channels < BytesInInt)
        {
            Few<TLanes, TFloat, TInt>(source, target, count);
            return;
        }

        int channel = 0;
        for (; channel <= channels - BlockChannels; channel += BlockChannels)
            Sixteen<TLanes, TFloat, TInt>(source + (nint)channel * positions, target + channel, count);
        // The last four may begin before the end of those before them: codes that are written twice are the same.
        for (; channel < channels; channel += BytesInInt)
        {
            int at = Math.Min(channel, channels - BytesInInt);
            Four<TLanes, TFloat, TInt>(source + (nint)at * positions, target + at, count);
        }
    }

    /// <summary>All of one to three channels.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Few<TLanes, TFloat, TInt>(float* source, byte* target, nint count) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TFloat inverse = TLanes.Broadcast(1f / qparams.Scale), lowest = TLanes.Broadcast(low - qparams.ZeroPoint), highest = TLanes.Broadcast(high - qparams.ZeroPoint);
        TInt zeroPoint = TLanes.BroadcastInt(qparams.ZeroPoint);
        int* pairs = stackalloc int[TLanes.Count];
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            nint at = nint.Min(i, count - TLanes.Count);
            TInt pixel = Codes<TLanes, TFloat, TInt>(source + at, inverse, lowest, highest, zeroPoint);
            for (int c = 1; c < channels; c++)
                pixel = TLanes.OrInt(pixel, TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(source + c * (nint)positions + at, inverse, lowest, highest, zeroPoint), 8 * c));
            switch (channels)
            {
                case 1:
                    TLanes.StoreBytes(pixel, target + at);
                    break;
                case 3:
                    TLanes.StoreTriples(pixel, target + at * 3);
                    break;
                default:
                    TLanes.StoreInt(pixel, pairs);
                    for (int p = 0; p < TLanes.Count; p++)
                        *(short*)(target + (at + p) * 2) = (short)pairs[p];
                    break;
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four<TLanes, TFloat, TInt>(float* source, byte* target, nint count) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TFloat inverse = TLanes.Broadcast(1f / qparams.Scale), lowest = TLanes.Broadcast(low - qparams.ZeroPoint), highest = TLanes.Broadcast(high - qparams.ZeroPoint);
        TInt zeroPoint = TLanes.BroadcastInt(qparams.ZeroPoint);
        int* pixels = stackalloc int[TLanes.Count];
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            nint at = nint.Min(i, count - TLanes.Count);
            TInt four = FourCodes<TLanes, TFloat, TInt>(source + at, positions, inverse, lowest, highest, zeroPoint);
            if (channels == BytesInInt)
            {
                TLanes.StoreInt(four, (int*)(target + at * BytesInInt));
                continue;
            }

            TLanes.StoreInt(four, pixels);
            for (int p = 0; p < TLanes.Count; p++)
                *(int*)(target + (at + p) * channels) = pixels[p];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sixteen<TLanes, TFloat, TInt>(float* source, byte* target, nint count) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TFloat inverse = TLanes.Broadcast(1f / qparams.Scale), lowest = TLanes.Broadcast(low - qparams.ZeroPoint), highest = TLanes.Broadcast(high - qparams.ZeroPoint);
        TInt zeroPoint = TLanes.BroadcastInt(qparams.ZeroPoint);
        nint planes = BytesInInt * (nint)positions;
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            nint at = nint.Min(i, count - TLanes.Count);
            TInt first = FourCodes<TLanes, TFloat, TInt>(source + at, positions, inverse, lowest, highest, zeroPoint);
            TInt second = FourCodes<TLanes, TFloat, TInt>(source + at + planes, positions, inverse, lowest, highest, zeroPoint);
            TInt third = FourCodes<TLanes, TFloat, TInt>(source + at + 2 * planes, positions, inverse, lowest, highest, zeroPoint);
            TInt fourth = FourCodes<TLanes, TFloat, TInt>(source + at + 3 * planes, positions, inverse, lowest, highest, zeroPoint);
            TLanes.StoreQuads(first, second, third, fourth, target + at * channels, channels);
        }
    }

    /// <summary>The codes of four channels, the first in the low byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt FourCodes<TLanes, TFloat, TInt>(float* source, nint plane, TFloat inverse, TFloat lowest, TFloat highest, TInt zeroPoint) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TInt first = Codes<TLanes, TFloat, TInt>(source, inverse, lowest, highest, zeroPoint);
        TInt second = TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(source + plane, inverse, lowest, highest, zeroPoint), 8);
        TInt third = TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(source + 2 * plane, inverse, lowest, highest, zeroPoint), 16);
        TInt fourth = TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(source + 3 * plane, inverse, lowest, highest, zeroPoint), 24);
        return TLanes.OrInt(TLanes.OrInt(first, second), TLanes.OrInt(third, fourth));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Codes<TLanes, TFloat, TInt>(float* source, TFloat inverse, TFloat lowest, TFloat highest, TInt zeroPoint) where TLanes : struct, ILanes<TFloat, TInt>
    {
        if (typeof(TLanes) != typeof(ScalarLanes))
            CachePrefetch.One(source + FetchedAhead);
        return Elementwise<TLanes, TFloat, TInt>.ToCodes(TLanes.Multiply(TLanes.Load(source), inverse), lowest, highest, zeroPoint);
    }
}
