using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using Half = System.Runtime.Intrinsics.Vector64<sbyte>;

namespace TorchQuant.Kernels;

/// <summary>
/// Arm's AdvSimd (Neon) without sdot: eight s8 x s8 products to int16 (smull), neighbours of them added to int32 (sadalp), see <see cref="PairSums"/>. Sixteen vectors of sums in
/// every shape of tile: four rows by 8 columns, two by 16, one by 32.
/// </summary>
internal readonly unsafe struct NeonMicroKernel : IMicroKernel, IDepthwiseKernel
{
    public static int MaxRows => 4;

    public static int ActivationOffset => SignedCodes.Offset;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        nint fours = groups / 4, rest = groups % 4;
        switch (rows)
        {
            case 1: WideTile<Dot, PairSums, PairBytes, Half>.RunPanel<Rows1>(a, stride, panel, fours, tile); break;
            case 2: SquareTile<Dot, PairSums, PairBytes, Half>.RunPanel<Rows2>(a, stride, panel, fours, tile); break;
            case 3: TallTile<Dot, PairSums, PairBytes, Half>.RunPanel<Rows3>(a, stride, panel, fours, tile); break;
            default: TallTile<Dot, PairSums, PairBytes, Half>.RunPanel<Rows4>(a, stride, panel, fours, tile); break;
        }

        if (rest > 0)
            GroupRest<Dot, PairSums, PairBytes, Half>.AddPanel(rows, a + fours * SignedCodes.VectorBytes, stride, panel + fours * 4 * PackedWeights.GroupBytes, rest, tile);
    }

    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile) =>
        DepthwiseTile<DepthwiseDot, PairSums>.RunPanel(rows, activations, in steps, panel, columns, tile);

    /// <summary>Selected activations are the same in both halves of a vector, so one half is enough.</summary>
    private readonly struct Dot : IQuadDot<PairSums, PairBytes, Half>
    {
        public static PairSums Zero => default;

        public static PairBytes LoadWeights(sbyte* weights) => new() { Lower = Vector64.Load(weights), Upper = Vector64.Load(weights + Half.Count) };

        public static Half Select(Vector128<sbyte> activations, [ConstantExpected(Max = (byte)3)] byte group) =>
            AdvSimd.DuplicateSelectedScalarToVector64(activations.AsInt32(), group).AsSByte();

        public static PairSums MultiplyAdd(PairSums sums, PairBytes weights, Half selected, [ConstantExpected(Max = (byte)3)] byte group)
        {
            sums.Lower = AdvSimd.AddPairwiseWideningAndAdd(sums.Lower, AdvSimd.MultiplyWideningLower(selected, weights.Lower));
            sums.Upper = AdvSimd.AddPairwiseWideningAndAdd(sums.Upper, AdvSimd.MultiplyWideningLower(selected, weights.Upper));
            return sums;
        }

        public static Vector128<int> Total(PairSums sums) => PairSums.Total(sums);
    }

    /// <summary>Sums are two vectors; of operands, which are one, the other is not used.</summary>
    private readonly struct DepthwiseDot : IGroupDot<PairSums>
    {
        public static int Columns => Vector128<int>.Count;

        public static PairSums Zero => default;

        public static PairSums Broadcast(byte* group) => Operand(SignedCodes.Broadcast(group));

        public static PairSums LoadActivations(byte* groups) => Operand(SignedCodes.Load(groups));

        public static PairSums LoadWeights(sbyte* weights) => Operand(Vector128.Load(weights));

        public static PairSums EvenActivations(PairSums codes) => codes;

        public static PairSums OddActivations(PairSums codes) => codes;

        public static PairSums EvenWeights(PairSums weights) => weights;

        public static PairSums OddWeights(PairSums weights) => weights;

        public static PairSums MultiplyAdd(PairSums sums, PairSums evenActivations, PairSums oddActivations, PairSums evenWeights, PairSums oddWeights)
        {
            Vector128<sbyte> x = evenActivations.Lower.AsSByte(), w = evenWeights.Lower.AsSByte();
            sums.Lower = AdvSimd.AddPairwiseWideningAndAdd(sums.Lower, AdvSimd.MultiplyWideningLower(x.GetLower(), w.GetLower()));
            sums.Upper = AdvSimd.AddPairwiseWideningAndAdd(sums.Upper, AdvSimd.MultiplyWideningUpper(x, w));
            return sums;
        }

        public static void Store(PairSums sums, int* target) => PairSums.Total(sums).Store(target);

        private static PairSums Operand(Vector128<sbyte> bytes) => new() { Lower = bytes.AsInt32() };
    }
}
