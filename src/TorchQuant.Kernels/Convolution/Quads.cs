using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Up to four bytes of different rows next to each other, for a vector of channels; the bytes of rows that are not used are 0.</summary>
internal static unsafe class Quads<TLanes, TFloat, TInt, TUsed>
    where TLanes : struct, ILanes<TFloat, TInt>
    where TUsed : struct, IRows
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fill(byte* r0, byte* r1, byte* r2, byte* r3, int* target)
    {
        TInt quads = TLanes.LoadBytes(r0);
        if (TUsed.Count > 1)
            quads = TLanes.OrInt(quads, TLanes.ShiftLeftInt(TLanes.LoadBytes(r1), 8));
        if (TUsed.Count > 2)
            quads = TLanes.OrInt(quads, TLanes.ShiftLeftInt(TLanes.LoadBytes(r2), 16));
        if (TUsed.Count > 3)
            quads = TLanes.OrInt(quads, TLanes.ShiftLeftInt(TLanes.LoadBytes(r3), 24));
        TLanes.StoreInt(quads, target);
    }
}
