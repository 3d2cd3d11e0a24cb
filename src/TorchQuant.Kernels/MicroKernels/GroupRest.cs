using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>The one to three groups that a depth has over a multiple of four, for Arm: row by row, added to a tile. In the methods of the tiles themselves the JIT would stop inlining.</summary>
internal static unsafe class GroupRest<TDot, TSums, TWeights, TSelected>
    where TDot : struct, IQuadDot<TSums, TWeights, TSelected>
{
    private const int VectorColumns = 4, VectorBytes = VectorColumns * PackedWeights.GroupDepth;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddPanel(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        for (int row = 0; row < rows; row++, a += stride, tile += PackedWeights.PanelColumns)
        {
            TSums s0 = TDot.Zero, s1 = TDot.Zero, s2 = TDot.Zero, s3 = TDot.Zero, s4 = TDot.Zero, s5 = TDot.Zero, s6 = TDot.Zero, s7 = TDot.Zero;
            sbyte* w = panel;
            for (nint g = 0; g < groups; g++, w += PackedWeights.GroupBytes)
            {
                TSelected x = TDot.Select(SignedCodes.Broadcast(a + g * PackedWeights.GroupDepth), 0);
                s0 = TDot.MultiplyAdd(s0, TDot.LoadWeights(w), x, 0);
                s1 = TDot.MultiplyAdd(s1, TDot.LoadWeights(w + 1 * VectorBytes), x, 0);
                s2 = TDot.MultiplyAdd(s2, TDot.LoadWeights(w + 2 * VectorBytes), x, 0);
                s3 = TDot.MultiplyAdd(s3, TDot.LoadWeights(w + 3 * VectorBytes), x, 0);
                s4 = TDot.MultiplyAdd(s4, TDot.LoadWeights(w + 4 * VectorBytes), x, 0);
                s5 = TDot.MultiplyAdd(s5, TDot.LoadWeights(w + 5 * VectorBytes), x, 0);
                s6 = TDot.MultiplyAdd(s6, TDot.LoadWeights(w + 6 * VectorBytes), x, 0);
                s7 = TDot.MultiplyAdd(s7, TDot.LoadWeights(w + 7 * VectorBytes), x, 0);
            }

            Add(s0, tile);
            Add(s1, tile + VectorColumns);
            Add(s2, tile + 2 * VectorColumns);
            Add(s3, tile + 3 * VectorColumns);
            Add(s4, tile + 4 * VectorColumns);
            Add(s5, tile + 5 * VectorColumns);
            Add(s6, tile + 6 * VectorColumns);
            Add(s7, tile + 7 * VectorColumns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(TSums sums, int* target) => (Vector128.Load(target) + TDot.Total(sums)).Store(target);
}
