using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Up to four bytes of different rows next to each other, for a vector of channels; the bytes of rows that are not used are 0.</summary>
internal static unsafe class Quads<TLanes, TFloat, TInt, TUsed>
    where TLanes : struct, ILanes<TFloat, TInt>
    where TUsed : struct, IRows
{
    /// <summary>A vector of channels from <paramref name="channel"/> on, for all columns.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="offset">Bytes from the beginning of a row to the first column.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="count">The number of columns.</param>
    /// <param name="columnStep">Bytes from one column to the next.</param>
    /// <param name="target">Receives a vector for each column.</param>
    /// <param name="step">Numbers from one to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(in QuadRows rows, nint offset, int channel, int count, int columnStep, int* target, int step)
    {
        offset += channel;
        nint step0 = columnStep, step1 = columnStep, step2 = columnStep, step3 = columnStep;
        byte* r0 = Start(rows.R0, rows.Zeros, offset, ref step0), r1 = TUsed.Count > 1 ? Start(rows.R1, rows.Zeros, offset, ref step1) : null;
        byte* r2 = TUsed.Count > 2 ? Start(rows.R2, rows.Zeros, offset, ref step2) : null, r3 = TUsed.Count > 3 ? Start(rows.R3, rows.Zeros, offset, ref step3) : null;
        for (; count > 0; count--, target += step)
        {
            TInt quads = TLanes.LoadBytes(r0);
            r0 += step0;
            if (TUsed.Count > 1)
            {
                quads = TLanes.OrInt(quads, TLanes.ShiftLeftInt(TLanes.LoadBytes(r1), 8));
                r1 += step1;
            }

            if (TUsed.Count > 2)
            {
                quads = TLanes.OrInt(quads, TLanes.ShiftLeftInt(TLanes.LoadBytes(r2), 16));
                r2 += step2;
            }

            if (TUsed.Count > 3)
            {
                quads = TLanes.OrInt(quads, TLanes.ShiftLeftInt(TLanes.LoadBytes(r3), 24));
                r3 += step3;
            }

            TLanes.StoreInt(quads, target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Start(byte* row, byte* zeros, nint offset, ref nint step)
    {
        if (row != null)
            return row + offset;
        step = 0;
        return zeros;
    }
}
