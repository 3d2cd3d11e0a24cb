using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace TorchQuant.Kernels;

/// <summary>
/// Sums of four columns on Arm without sdot, two numbers for each column: eight products of signed bytes fill a vector of int16, and neighbours are added to int32, so nothing can
/// saturate: (-128) * (-128) fits int16, two of it do not. Fields and no properties: of the many calls in a tile the JIT inlines only so many.
/// </summary>
internal struct PairSums
{
    /// <summary>Those of columns 0 and 1.</summary>
    public Vector128<int> Lower;

    /// <summary>Those of columns 2 and 3.</summary>
    public Vector128<int> Upper;

    /// <summary>The sums as four numbers.</summary>
    public static Vector128<int> Total(PairSums sums) => AdvSimd.Arm64.AddPairwise(sums.Lower, sums.Upper);
}

/// <summary>Four signed bytes for each of four columns.</summary>
internal struct PairBytes
{
    /// <summary>Those of columns 0 and 1.</summary>
    public Vector64<sbyte> Lower;

    /// <summary>Those of columns 2 and 3.</summary>
    public Vector64<sbyte> Upper;
}
