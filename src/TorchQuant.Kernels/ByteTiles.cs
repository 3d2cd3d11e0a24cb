using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Tiles of one height, one below the other, whose sums a micro-kernel requantizes itself. It advances what changes from tile to tile. At an address aligned to 64 bytes the vectors are aligned.</summary>
internal unsafe struct ByteTiles
{
    private const int VectorBytes = 64;

    /// <summary>For each byte or int16 of a vector: the output's zero point, the smallest and the largest code.</summary>
    public fixed short ZeroPoints[VectorBytes / sizeof(short)];
    public fixed byte Lowest[VectorBytes];
    public fixed byte Highest[VectorBytes];

    /// <summary>Brings together the codes of a vector after four vectors are packed to bytes within 128 bits.</summary>
    public fixed int Order[VectorBytes / sizeof(int)];

    /// <summary>If a residual is added: what that takes. The zero point and the codes above are those of the sum then.</summary>
    public ResidualTerms Added;

    /// <summary>What requantization needs to know about the columns; bounded.</summary>
    public ByteTerms* Terms;

    /// <summary>The first row of activation codes of the next tile.</summary>
    public byte* A;

    /// <summary>Bytes from one row to the next, and from one tile to the next.</summary>
    public nint Stride;
    public nint Step;

    /// <summary>For tiles that do not lie one below the other, in place of <see cref="A"/> and <see cref="Step"/>: the next tile. <see cref="Output"/> stays as it is.</summary>
    public TilePlace* Places;

    /// <summary>For such tiles: bytes from each group of four of the depth to the next.</summary>
    public nint* Steps;

    /// <summary>[groups][32][4] weights, 64-byte aligned, and their depth in groups of four.</summary>
    public sbyte* Panel;
    public nint Groups;

    /// <summary>
    /// Bytes from the beginning of the panel to memory that is needed later and may be far away. A cache line for each group is fetched while the next tile is
    /// multiplied; then the second takes the place of the first, and the third is added to the second.
    /// </summary>
    public nint Ahead;
    public nint LaterAhead;
    public nint AheadStep;

    /// <summary>The first code of the next tile.</summary>
    public byte* Output;
    public nint OutputStride;

    /// <summary>Tiles still to do.</summary>
    public nint Count;

    /// <summary>A bit for each column: up to 16 or up to 32.</summary>
    public uint Columns;

    /// <summary>The bits of the columns from 16 on.</summary>
    public uint LastColumns;

    /// <summary>Bytes from a code to the one that is added to it, and from a tile to one whose residual is fetched meanwhile: it may come from far away.</summary>
    public nint AddedOffset;
    public nint AddedAhead;

    /// <summary>Whether a residual is added.</summary>
    public bool HasResidual;

    /// <summary>For a lone tile: whether its weights come from beyond the second level of the cache.</summary>
    public bool IsStreaming;

    /// <summary>
    /// Whether biases are in units of the sums and all codes may come out, as with weights per channel and without a range that is cut: then adding and packing do what otherwise takes
    /// more instructions.
    /// </summary>
    public bool IsSimple;

    /// <summary>
    /// Lets the tiles of a panel fetch memory from an address on; or, if that is null, the first two tiles the next panel, which is two cache lines for each group. A lone tile has time for
    /// its own weights at most.
    /// </summary>
    public void Fetch(byte* memory, int count, bool isStreaming = false)
    {
        nint tileBytes = Groups * VectorBytes;
        (Ahead, AheadStep) = memory != null ? ((nint)memory - (nint)Panel, tileBytes) : (count > 1 ? Groups * PackedWeights.GroupBytes : 0, 0);
        LaterAhead = Ahead == 0 ? 0 : Ahead + tileBytes;
        IsStreaming = count == 1 && isStreaming;
    }

    /// <summary>Sets these to tiles of a job's output, which still lack their place.</summary>
    public void Set(ref readonly GemmJob job)
    {
        (int low, int high) = CodeRange.Of(job.Fused, job.Requantized);
        (Stride, Groups, OutputStride, IsStreaming, Ahead, LaterAhead, AheadStep, HasResidual) = (job.Stride, job.Groups, job.OutputStride, false, 0, 0, 0, false);
        SetCodes(in job, low, high, job.Requantized.ZeroPoint);
        for (int i = 0; i < VectorBytes / sizeof(int); i++)
            Order[i] = i % 4 * 4 + i / 4;
    }

    /// <summary>The job's residual, whose sum is bounded, is added.</summary>
    public void AddResidual(ref readonly GemmJob job)
    {
        ref readonly CodePairFactors sum = ref job.Residual.Factors;
        SetCodes(in job, sum.Lowest, sum.Highest, sum.ZeroPoint);
        Added.Set(in job);
        (HasResidual, AddedOffset, AddedAhead) = (true, job.Residual.Offset, 0);
    }

    private void SetCodes(ref readonly GemmJob job, int low, int high, int zeroPoint)
    {
        IsSimple = !job.IsPerTensor && (low, high) == (byte.MinValue, byte.MaxValue);
        new Span<byte>(Unsafe.AsPointer(ref Lowest[0]), VectorBytes).Fill((byte)low);
        new Span<byte>(Unsafe.AsPointer(ref Highest[0]), VectorBytes).Fill((byte)high);
        new Span<short>(Unsafe.AsPointer(ref ZeroPoints[0]), VectorBytes / sizeof(short)).Fill((short)zeroPoint);
    }
}
