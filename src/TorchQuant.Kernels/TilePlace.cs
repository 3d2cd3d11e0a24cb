namespace TorchQuant.Kernels;

/// <summary>Where a tile lies that reads an image through a window: rows a stride apart, in two halves for more than seven.</summary>
internal unsafe struct TilePlace
{
    /// <summary>The activation codes that the first row begins with.</summary>
    public byte* A;

    /// <summary>Bytes from the first row to the first of the second half.</summary>
    public nint Second;

    /// <summary>Bytes from the beginning of the output to the first code.</summary>
    public nint Output;

    /// <summary>Rows of the first half.</summary>
    public static int FirstHalf(int rows) => (rows + 1) / 2;
}
