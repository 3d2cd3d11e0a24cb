using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// Tiles of one height whose sums a micro-kernel turns into float results itself: one below the other in a panel, or side by side in successive panels. It advances what
/// changes from tile to tile by the steps, in bytes.
/// </summary>
internal unsafe struct FloatTiles
{
    /// <summary>The sums and the scales of the weights' columns, those of the next tile.</summary>
    public int* ColumnSums;
    public float* ColumnScales;

    /// <summary>What is added to the columns of the next tile: the bias. -0 where there is none, which changes no bit of what it is added to.</summary>
    public float* Biases;

    public nint SumStep;
    public nint ScaleStep;
    public nint BiasStep;

    /// <summary>The first row of activation codes of the next tile.</summary>
    public byte* A;
    public nint AStep;

    /// <summary>Bytes from one row to the next.</summary>
    public nint Stride;

    /// <summary>[groups][32][4] weights, 64-byte aligned, and their depth in groups of four.</summary>
    public sbyte* Panel;
    public nint PanelStep;
    public nint Groups;

    /// <summary>The first result of the next tile, and bytes from one row to the next.</summary>
    public float* Output;
    public nint OutputStep;
    public nint OutputStride;

    /// <summary>Tiles still to do.</summary>
    public nint Count;

    /// <summary>1 if results are added to what the output holds, else 0.</summary>
    public nint Accumulate;

    /// <summary>The activations' scale, and their zero point times -1.</summary>
    public float Scale;
    public int NegatedZeroPoint;

    /// <summary>No result is below it: 0 for ReLU, or minus infinity.</summary>
    public float Floor;

    /// <summary>
    /// Bytes from the beginning of the panel to weights that are needed later and may be far away. <see cref="FloatTileForm.Ahead"/> fetches a cache line for each group while the next tile
    /// is multiplied; then the second takes the place of the first.
    /// </summary>
    public nint Ahead;
    public nint LaterAhead;

    /// <summary>Which of the forms for all 32 columns.</summary>
    public FloatTileForm Form;

    /// <summary>A bit for each column of the two halves of a panel.</summary>
    public uint FirstColumns;
    public uint LastColumns;
}
