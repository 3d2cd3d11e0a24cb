using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>
/// What an Arm instruction set brings to <see cref="TallTile{TDot, TSums, TWeights, TSelected}"/> and its like: dot products of four with one of the four groups that a vector of activations
/// holds. <typeparamref name="TSums"/> are the sums of four columns, <typeparamref name="TWeights"/> four weights of each of them, <typeparamref name="TSelected"/> the activations of a group.
/// </summary>
internal unsafe interface IQuadDot<TSums, TWeights, TSelected>
{
    static abstract TSums Zero { get; }

    static abstract TWeights LoadWeights(sbyte* weights);

    /// <summary>One group of the activations, as <see cref="MultiplyAdd"/> wants it: once for all columns.</summary>
    static abstract TSelected Select(Vector128<sbyte> activations, [ConstantExpected(Max = (byte)3)] byte group);

    /// <summary>Adds to the sum of each column the products of its four weights with the four activations of the group, exactly.</summary>
    static abstract TSums MultiplyAdd(TSums sums, TWeights weights, TSelected selected, [ConstantExpected(Max = (byte)3)] byte group);

    /// <summary>The sums as four numbers.</summary>
    static abstract Vector128<int> Total(TSums sums);
}
