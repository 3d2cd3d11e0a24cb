using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The weights of a depthwise panel for an output row that begins some elements further down in the same columns: each column of the kernel, [groups][32][4] bytes of
/// which the first <c>elements</c> count, moved by that many bytes and 0 elsewhere.
/// </summary>
internal static unsafe class MovedWeights<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int Lanes = PackedWeights.PanelColumns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(int* panel, int columns, int groups, int elements, int down, int* moved)
    {
        (int whole, int bytes) = Math.DivRem(down, PackedWeights.GroupDepth);
        int up = 8 * bytes, used = elements - (groups - 1) * PackedWeights.GroupDepth;
        TInt last = TLanes.BroadcastInt(used == PackedWeights.GroupDepth ? -1 : (1 << (8 * used)) - 1), all = TLanes.BroadcastInt(-1), carried = TLanes.BroadcastInt((1 << up) - 1);
        for (int column = 0; column < columns; column++, panel += groups * Lanes)
        {
            for (int g = 0; g < groups; g++, moved += Lanes)
            {
                for (int c = 0; c < Lanes; c += TLanes.Count)
                {
                    int from = g - whole;
                    TInt value = TLanes.BroadcastInt(0);
                    if (from >= 0)
                        value = TLanes.ShiftLeftInt(TLanes.AndInt(TLanes.LoadInt(panel + from * Lanes + c), from == groups - 1 ? last : all), up);
                    if (from >= 1 && bytes > 0)
                        value = TLanes.OrInt(value, TLanes.AndInt(TLanes.ShiftRightInt(TLanes.LoadInt(panel + (from - 1) * Lanes + c), 32 - up), carried));
                    TLanes.StoreInt(value, moved + c);
                }
            }
        }
    }
}
