namespace TorchQuant.Kernels;

/// <summary>
/// What an ISA brings to <see cref="Tile{TDot, TVector}"/> and <see cref="DepthwiseTile{TDot, TVector}"/>: the dot product of a group of four activations with four weights in each int32 lane, exact.
/// Machines without an instruction for it multiply even and odd bytes apart as int16; the others return their argument and ignore the odd half.
/// </summary>
internal unsafe interface IGroupDot<TVector>
{
    /// <summary>int32 lanes of a vector, each one column of the output.</summary>
    static abstract int Columns { get; }

    static abstract TVector Zero { get; }

    /// <summary>The four activation codes at an address, in every lane.</summary>
    static abstract TVector Broadcast(byte* group);

    /// <summary>Four activation codes for each lane.</summary>
    static abstract TVector LoadActivations(byte* groups);

    static abstract TVector LoadWeights(sbyte* weights);

    static abstract TVector EvenActivations(TVector codes);

    static abstract TVector OddActivations(TVector codes);

    static abstract TVector EvenWeights(TVector weights);

    static abstract TVector OddWeights(TVector weights);

    /// <summary>sums + the four products in each lane.</summary>
    static abstract TVector MultiplyAdd(TVector sums, TVector evenActivations, TVector oddActivations, TVector evenWeights, TVector oddWeights);

    static abstract void Store(TVector sums, int* target);
}
