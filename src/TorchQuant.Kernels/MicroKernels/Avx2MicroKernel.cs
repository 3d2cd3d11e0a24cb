using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ints = System.Runtime.Intrinsics.Vector256<int>;

namespace TorchQuant.Kernels;

/// <summary>
/// 256 bits: four rows by 16 columns are 8 sums, and with two weights and an activation, each in two halves, 14 of the 16 registers.
/// Even and odd bytes are widened to int16 apart and multiplied with vpmaddwd, whose sum of two products fits int32, so nothing can saturate: vpmaddubsw adds
/// two products in int16, and 255 * 127 * 2 does not fit; it is used where all activations of a block are below 128.
/// </summary>
internal readonly unsafe struct Avx2MicroKernel : IMicroKernel, IDepthwiseKernel
{
    private const int RowsInRegisters = 4;

    public static int MaxRows => WidenedTile<Dot, Ints>.MaxRows;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile) =>
        WidenedTile<Dot, Ints>.RunPanel(rows, a, stride, panel, groups, tile);

    public static bool IsFasterWithSevenBits => true;

    public static void RunSevenBits(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        for (int row = 0; row < rows; row += RowsInRegisters)
            Tile<SevenBitDot, Ints>.RunPanel(Math.Min(RowsInRegisters, rows - row), a + row * stride, stride, panel, groups, tile + row * PackedWeights.PanelColumns);
    }

    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile) =>
        DepthwiseTile<Dot, Ints>.RunPanel(rows, activations, in steps, panel, columns, tile);

    private readonly struct Dot : IGroupDot<Ints>
    {
        public static int Columns => Ints.Count;

        public static Ints Zero => Ints.Zero;

        public static Ints Broadcast(byte* group) => Vector256.Create(*(int*)group);

        public static Ints LoadActivations(byte* groups) => Vector256.Load(groups).AsInt32();

        public static Ints LoadWeights(sbyte* weights) => Vector256.Load(weights).AsInt32();

        /// <summary>Bytes 0 and 2 of each lane as int16.</summary>
        public static Ints EvenActivations(Ints codes) => codes & Vector256.Create(0x00FF00FF);

        /// <summary>Bytes 1 and 3 of each lane as int16.</summary>
        public static Ints OddActivations(Ints codes) => (codes.AsUInt16() >>> 8).AsInt32();

        public static Ints EvenWeights(Ints weights) => ((weights.AsInt16() << 8) >> 8).AsInt32();

        public static Ints OddWeights(Ints weights) => (weights.AsInt16() >> 8).AsInt32();

        public static Ints MultiplyAdd(Ints sums, Ints evenActivations, Ints oddActivations, Ints evenWeights, Ints oddWeights) =>
            sums + Avx2.MultiplyAddAdjacent(evenActivations.AsInt16(), evenWeights.AsInt16()) + Avx2.MultiplyAddAdjacent(oddActivations.AsInt16(), oddWeights.AsInt16());

        public static void Store(Ints sums, int* target) => sums.Store(target);
    }

    /// <summary>vpmaddubsw, then vpmaddwd by one: nothing saturates where all activations are below 128. The whole group is the even half.</summary>
    private readonly struct SevenBitDot : IGroupDot<Ints>
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

        public static Ints MultiplyAdd(Ints sums, Ints activations, Ints oddActivations, Ints weights, Ints oddWeights) =>
            sums + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(activations.AsByte(), weights.AsSByte()), Vector256<short>.One);

        public static void Store(Ints sums, int* target) => sums.Store(target);
    }
}
