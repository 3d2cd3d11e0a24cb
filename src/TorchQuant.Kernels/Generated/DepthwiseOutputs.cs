namespace TorchQuant.Kernels.Generated;

/// <summary>
/// What <see cref="DepthwiseOutputsCode"/> computes in one call: blocks of outputs next to each other, of one row or of two below each other. The code reads the fields by their order, and
/// advances those that change.
/// </summary>
internal unsafe struct DepthwiseOutputs
{
    /// <summary>[columns][groups][256] quads, from the first column that the first output sees.</summary>
    public byte* Quads;

    /// <summary>Bytes from the first column of an output to that of the next.</summary>
    public nint QuadsOutput;

    /// <summary>The weights of the first row: [columns of the kernel][groups][256].</summary>
    public byte* Weights;

    /// <summary>Bytes from there to the weights of the second row.</summary>
    public nint WeightsRow;

    /// <summary>Pieces of the quads that an output sees: the columns of a kernel with dilation, or one.</summary>
    public nint Taps;

    /// <summary>Groups of four elements in a piece.</summary>
    public nint Groups;

    /// <summary>Bytes from the end of a piece to the next.</summary>
    public nint TapSkip;

    /// <summary>Receives 64 bytes for each output.</summary>
    public byte* Output;

    /// <summary>Bytes from an output to the one below it.</summary>
    public nint OutputRow;

    /// <summary>Bytes from an output to the next of its row.</summary>
    public nint OutputColumn;

    /// <summary>Blocks, at least 1.</summary>
    public nint Count;

    /// <summary>See <see cref="DepthwiseTerms"/>; the weights there are not read.</summary>
    public byte* Terms;
}
