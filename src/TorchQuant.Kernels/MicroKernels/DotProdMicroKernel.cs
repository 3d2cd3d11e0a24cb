using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using Bytes = System.Runtime.Intrinsics.Vector128<sbyte>;
using Ints = System.Runtime.Intrinsics.Vector128<int>;

namespace TorchQuant.Kernels;

/// <summary>
/// Arm's sdot (FEAT_DotProd): four s8 x s8 products summed into each int32 lane, without saturation, one of the factors a lane of its vector. Sixteen sums in every shape of tile:
/// eight rows by 8 columns, four by 16, two by 32.
/// </summary>
internal readonly unsafe struct DotProdMicroKernel : IMicroKernel, IDepthwiseKernel
{
    public static int MaxRows => 8;

    public static int ActivationOffset => SignedCodes.Offset;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        nint fours = groups / 4, rest = groups % 4;
        switch (rows)
        {
            case 1: WideTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows1>(a, stride, panel, fours, tile); break;
            case 2: WideTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows2>(a, stride, panel, fours, tile); break;
            case 3: SquareTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows3>(a, stride, panel, fours, tile); break;
            case 4: SquareTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows4>(a, stride, panel, fours, tile); break;
            case 5: TallTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows5>(a, stride, panel, fours, tile); break;
            case 6: TallTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows6>(a, stride, panel, fours, tile); break;
            case 7: TallTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows7>(a, stride, panel, fours, tile); break;
            default: TallTile<Dot, Ints, Bytes, Bytes>.RunPanel<Rows8>(a, stride, panel, fours, tile); break;
        }

        if (rest > 0)
            GroupRest<Dot, Ints, Bytes, Bytes>.AddPanel(rows, a + fours * SignedCodes.VectorBytes, stride, panel + fours * 4 * PackedWeights.GroupBytes, rest, tile);
    }

    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile) =>
        DepthwiseTile<DepthwiseDot, Ints>.RunPanel(rows, activations, in steps, panel, columns, tile);

    private readonly struct Dot : IQuadDot<Ints, Bytes, Bytes>
    {
        public static Ints Zero => Ints.Zero;

        public static Bytes LoadWeights(sbyte* weights) => Vector128.Load(weights);

        public static Bytes Select(Bytes activations, [ConstantExpected(Max = (byte)3)] byte group) => activations;

        public static Ints MultiplyAdd(Ints sums, Bytes weights, Bytes selected, [ConstantExpected(Max = (byte)3)] byte group) =>
            Dp.DotProductBySelectedQuadruplet(sums, weights, selected, group);

        public static Ints Total(Ints sums) => sums;
    }

    private readonly struct DepthwiseDot : IGroupDot<Ints>
    {
        public static int Columns => Ints.Count;

        public static Ints Zero => Ints.Zero;

        public static Ints Broadcast(byte* group) => SignedCodes.Broadcast(group).AsInt32();

        public static Ints LoadActivations(byte* groups) => SignedCodes.Load(groups).AsInt32();

        public static Ints LoadWeights(sbyte* weights) => Vector128.Load(weights).AsInt32();

        public static Ints EvenActivations(Ints codes) => codes;

        public static Ints OddActivations(Ints codes) => codes;

        public static Ints EvenWeights(Ints weights) => weights;

        public static Ints OddWeights(Ints weights) => weights;

        public static Ints MultiplyAdd(Ints sums, Ints evenActivations, Ints oddActivations, Ints evenWeights, Ints oddWeights) =>
            Dp.DotProduct(sums, evenActivations.AsSByte(), evenWeights.AsSByte());

        public static void Store(Ints sums, int* target) => sums.Store(target);
    }
}
