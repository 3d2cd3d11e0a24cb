using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ints = System.Runtime.Intrinsics.Vector256<int>;

namespace TorchQuant.Kernels;

/// <summary>
/// vpdpbusd on 256 bits: four u8 x s8 products summed into each int32 lane, without saturation. Six rows by 16 columns: 12 sums, 2 weights and a broadcast fill
/// 15 of the 16 registers that its encoding reaches; 12 independent sums hide its latency.
/// </summary>
internal readonly unsafe struct AvxVnniMicroKernel : IMicroKernel, IDepthwiseKernel
{
    public static int MaxRows => 6;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        if (rows == 1)
            RunRow(a, panel, groups, tile);
        else if (rows == 2)
            RunTwoRows(a, a + stride, panel, groups, tile);
        else
            Tile<Dot, Ints>.RunPanel(rows, a, stride, panel, groups, tile);
    }

    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile) =>
        DepthwiseTile<Dot, Ints>.RunPanel(rows, activations, in steps, panel, columns, tile);

    /// <summary>One row by 32 columns, two groups at a time: eight sums, so that reading the weights is the limit and not the latency. Weights are read in address order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRow(byte* a, sbyte* panel, nint groups, int* tile)
    {
        Ints s0 = Ints.Zero, s1 = Ints.Zero, s2 = Ints.Zero, s3 = Ints.Zero, t0 = Ints.Zero, t1 = Ints.Zero, t2 = Ints.Zero, t3 = Ints.Zero;
        for (; groups > 1; groups -= 2, a += 8, panel += 2 * PackedWeights.GroupBytes)
        {
            Ints x = Dot.Broadcast(a), y = Dot.Broadcast(a + 4);
            s0 = Dot.Add(s0, x, panel);
            s1 = Dot.Add(s1, x, panel + 32);
            s2 = Dot.Add(s2, x, panel + 64);
            s3 = Dot.Add(s3, x, panel + 96);
            t0 = Dot.Add(t0, y, panel + 128);
            t1 = Dot.Add(t1, y, panel + 160);
            t2 = Dot.Add(t2, y, panel + 192);
            t3 = Dot.Add(t3, y, panel + 224);
        }

        if (groups > 0)
        {
            Ints x = Dot.Broadcast(a);
            s0 = Dot.Add(s0, x, panel);
            s1 = Dot.Add(s1, x, panel + 32);
            s2 = Dot.Add(s2, x, panel + 64);
            s3 = Dot.Add(s3, x, panel + 96);
        }

        Store(s0 + t0, s1 + t1, tile);
        Store(s2 + t2, s3 + t3, tile + 16);
    }

    /// <summary>Two rows by 32 columns: eight sums again, where two by 16 would wait for each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTwoRows(byte* a, byte* b, sbyte* panel, nint groups, int* tile)
    {
        Ints s0 = Ints.Zero, s1 = Ints.Zero, s2 = Ints.Zero, s3 = Ints.Zero, t0 = Ints.Zero, t1 = Ints.Zero, t2 = Ints.Zero, t3 = Ints.Zero;
        for (; groups > 0; groups--, a += 4, b += 4, panel += PackedWeights.GroupBytes)
        {
            Ints x = Dot.Broadcast(a), y = Dot.Broadcast(b);
            s0 = Dot.Add(s0, x, panel);
            t0 = Dot.Add(t0, y, panel);
            s1 = Dot.Add(s1, x, panel + 32);
            t1 = Dot.Add(t1, y, panel + 32);
            s2 = Dot.Add(s2, x, panel + 64);
            t2 = Dot.Add(t2, y, panel + 64);
            s3 = Dot.Add(s3, x, panel + 96);
            t3 = Dot.Add(t3, y, panel + 96);
        }

        Store(s0, s1, tile);
        Store(s2, s3, tile + 16);
        Store(t0, t1, tile + 32);
        Store(t2, t3, tile + 48);
    }

    /// <summary>Whoever reads the tile next with 512-bit loads would wait for two 256-bit stores; of a taller tile the stores are long done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Ints left, Ints right, int* target)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512.Create(left, right).Store(target);
            return;
        }

        left.Store(target);
        right.Store(target + Ints.Count);
    }

    private readonly struct Dot : IGroupDot<Ints>
    {
        public static int Columns => Ints.Count;

        public static Ints Zero => Ints.Zero;

        public static Ints Broadcast(byte* group) => Vector256.Create(*(int*)group);

        public static Ints LoadActivations(byte* groups) => Vector256.Load(groups).AsInt32();

        public static Ints LoadWeights(sbyte* weights) => Vector256.Load(weights).AsInt32();

        public static Ints EvenActivations(Ints codes) => codes;

        public static Ints OddActivations(Ints codes) => codes;

        public static Ints EvenWeights(Ints weights) => weights;

        public static Ints OddWeights(Ints weights) => weights;

        public static Ints MultiplyAdd(Ints sums, Ints evenActivations, Ints oddActivations, Ints evenWeights, Ints oddWeights) =>
            AvxVnni.MultiplyWideningAndAdd(sums, evenActivations.AsByte(), evenWeights.AsSByte());

        public static void Store(Ints sums, int* target) => sums.Store(target);

        /// <summary>With the weights as a memory operand, for a row that uses them once.</summary>
        public static Ints Add(Ints sums, Ints activations, sbyte* weights) =>
            AvxVnni.MultiplyWideningAndAdd(sums, activations.AsByte(), Vector256.Load(weights));
    }
}
