using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ints = System.Runtime.Intrinsics.Vector512<int>;

namespace TorchQuant.Kernels;

/// <summary>
/// 512 bits without VNNI: twelve rows by 32 columns are 24 sums, and with two weights and an activation, each in two halves, 30 of the 32 registers.
/// Even and odd bytes are widened to int16 apart and multiplied with vpmaddwd, whose sum of two products fits int32, so nothing can saturate: vpmaddubsw adds
/// two products in int16, and 255 * 127 * 2 does not fit; it is used where all activations of a block are below 128.
/// </summary>
internal readonly unsafe struct Avx512BWMicroKernel : IMicroKernel, IDepthwiseKernel
{
    public static int MaxRows => 12;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile) =>
        Tile<Dot, Ints>.RunPanel(rows, a, stride, panel, groups, tile);

    public static bool IsFasterWithSevenBits => true;

    public static void RunSevenBits(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile) =>
        Tile<SevenBitDot, Ints>.RunPanel(rows, a, stride, panel, groups, tile);

    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile) =>
        DepthwiseTile<Dot, Ints>.RunPanel(rows, activations, in steps, panel, columns, tile);

    private readonly struct Dot : IGroupDot<Ints>
    {
        public static int Columns => Ints.Count;

        public static Ints Zero => Ints.Zero;

        public static Ints Broadcast(byte* group) => Vector512.Create(*(int*)group);

        public static Ints LoadActivations(byte* groups) => Vector512.Load(groups).AsInt32();

        public static Ints LoadWeights(sbyte* weights) => Vector512.Load(weights).AsInt32();

        /// <summary>Bytes 0 and 2 of each lane as int16.</summary>
        public static Ints EvenActivations(Ints codes) => codes & Vector512.Create(0x00FF00FF);

        /// <summary>Bytes 1 and 3 of each lane as int16.</summary>
        public static Ints OddActivations(Ints codes) => (codes.AsUInt16() >>> 8).AsInt32();

        public static Ints EvenWeights(Ints weights) => ((weights.AsInt16() << 8) >> 8).AsInt32();

        public static Ints OddWeights(Ints weights) => (weights.AsInt16() >> 8).AsInt32();

        public static Ints MultiplyAdd(Ints sums, Ints evenActivations, Ints oddActivations, Ints evenWeights, Ints oddWeights) =>
            sums + Avx512BW.MultiplyAddAdjacent(evenActivations.AsInt16(), evenWeights.AsInt16()) + Avx512BW.MultiplyAddAdjacent(oddActivations.AsInt16(), oddWeights.AsInt16());

        public static void Store(Ints sums, int* target) => sums.Store(target);
    }

    /// <summary>vpmaddubsw, then vpmaddwd by one: nothing saturates where all activations are below 128. The whole group is the even half.</summary>
    private readonly struct SevenBitDot : IGroupDot<Ints>
    {
        public static int Columns => Ints.Count;

        public static Ints Zero => Ints.Zero;

        public static Ints Broadcast(byte* group) => Vector512.Create(*(int*)group);

        public static Ints LoadActivations(byte* groups) => Vector512.Load(groups).AsInt32();

        public static Ints LoadWeights(sbyte* weights) => Vector512.Load(weights).AsInt32();

        public static Ints EvenActivations(Ints codes) => codes;

        public static Ints OddActivations(Ints codes) => codes;

        public static Ints EvenWeights(Ints weights) => weights;

        public static Ints OddWeights(Ints weights) => weights;

        public static Ints MultiplyAdd(Ints sums, Ints activations, Ints oddActivations, Ints weights, Ints oddWeights) =>
            sums + Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(activations.AsByte(), weights.AsSByte()), Vector512<short>.One);

        public static void Store(Ints sums, int* target) => sums.Store(target);
    }
}
