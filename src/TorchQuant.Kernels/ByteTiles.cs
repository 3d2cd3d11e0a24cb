namespace TorchQuant.Kernels;

/// <summary>Tiles of one height, one below the other, whose sums a micro-kernel requantizes itself. It advances what changes from tile to tile.</summary>
internal unsafe struct ByteTiles
{
    /// <summary>What requantization needs to know about the columns; bounded.</summary>
    public ByteTerms* Terms;

    /// <summary>The first row of activation codes of the next tile.</summary>
    public byte* A;

    /// <summary>Bytes from one row to the next, and from one tile to the next.</summary>
    public nint Stride;
    public nint Step;

    /// <summary>[groups][32][4] weights, 64-byte aligned, and their depth in groups of four.</summary>
    public sbyte* Panel;
    public nint Groups;

    /// <summary>The first code of the next tile.</summary>
    public byte* Output;
    public nint OutputStride;

    /// <summary>Tiles still to do.</summary>
    public nint Count;

    /// <summary>A bit for each column: up to 16 or up to 32.</summary>
    public uint Columns;

    /// <summary>For each byte or int16 of a vector: the output's zero point, the smallest and the largest code.</summary>
    public fixed short ZeroPoints[VectorBytes / sizeof(short)];
    public fixed byte Lowest[VectorBytes];
    public fixed byte Highest[VectorBytes];

    /// <summary>Brings together the codes of a vector after four vectors are packed to bytes within 128 bits.</summary>
    public fixed int Order[VectorBytes / sizeof(int)];

    private const int VectorBytes = 64;

    /// <summary>Tiles of this job's output, which still lack their place.</summary>
    public static ByteTiles Of(ref readonly GemmJob job)
    {
        (int low, int high) = CodeRange.Of(job.Fused, job.Requantized);
        var tiles = new ByteTiles { Stride = job.Stride, Groups = job.Groups, OutputStride = job.OutputStride };
        new Span<short>(tiles.ZeroPoints, VectorBytes / sizeof(short)).Fill((short)job.Requantized.ZeroPoint);
        new Span<byte>(tiles.Lowest, VectorBytes).Fill((byte)low);
        new Span<byte>(tiles.Highest, VectorBytes).Fill((byte)high);
        for (int i = 0; i < VectorBytes / sizeof(int); i++)
            tiles.Order[i] = i % 4 * 4 + i / 4;
        return tiles;
    }
}
