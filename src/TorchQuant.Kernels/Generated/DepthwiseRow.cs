namespace TorchQuant.Kernels.Generated;

/// <summary>What <see cref="DepthwiseCode"/> computes in one call: outputs of one row, or of two below each other. The code reads the fields by their order.</summary>
internal unsafe struct DepthwiseRow
{
    /// <summary>[input rows][columns][64] codes, padded.</summary>
    public byte* Input;

    /// <summary>Bytes from one row of the input to the next.</summary>
    public nint InputRow;

    /// <summary>Receives 64 bytes for each output.</summary>
    public byte* Output;

    /// <summary>Bytes from an output to the one below it.</summary>
    public nint OutputRow;

    /// <summary>Bytes from an output to the next of its row.</summary>
    public nint OutputColumn;

    /// <summary>How many outputs of a row, at least 1.</summary>
    public nint Count;

    /// <summary>See <see cref="DepthwiseTerms"/>.</summary>
    public byte* Terms;
}
