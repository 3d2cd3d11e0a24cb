namespace TorchQuant.Kernels.Generated;

/// <summary>What <see cref="DepthwiseColumnsCode"/> unpacks in one call: four rows of columns that lie next to each other. The code reads the fields by their order.</summary>
internal unsafe struct DepthwiseColumns
{
    /// <summary>[rows][columns][64] codes.</summary>
    public byte* Input;

    /// <summary>Bytes from one of the four rows to the next.</summary>
    public nint InputRow;

    /// <summary>Receives 256 bytes for each column.</summary>
    public byte* Quads;

    /// <summary>Bytes from one column's quads to those of the next.</summary>
    public nint QuadsColumn;

    /// <summary>How many columns, at least 1.</summary>
    public nint Count;
}
