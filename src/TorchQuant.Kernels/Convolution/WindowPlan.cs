namespace TorchQuant.Kernels;

/// <summary>
/// How the outputs of a convolution whose tiles read the image are divided, and where its codes are: pieces of some output rows, each with a padded copy of the part of the input that
/// it sees, or with the input itself where there is no padding.
/// </summary>
internal readonly struct WindowPlan
{
    /// <summary>Input of a block of pieces, a part of the L2 cache: it is read once for each panel, and the panels once for each block.</summary>
    private const int BlockBytes = 256 * 1024;

    /// <summary>Input that the outputs of one row may see, unless those of a tile see more.</summary>
    private const int RowBytes = 128 * 1024;

    /// <summary>The part of the rows by which shares may differ: 1 / 16.</summary>
    private const int LeastEvenness = 16;

    /// <summary>Bytes that are read beyond what counts.</summary>
    private const int Slack = 64;

    private readonly int _outputPlanes, _height, _width, _rowParts, _widthParts, _piecesOfBlock;

    public WindowPlan(in ConvolutionJob job, int tileRows, int threads)
    {
        ref readonly Window window = ref job.Window;
        ref readonly WindowDimension deep = ref window.Depth, high = ref window.Height, wide = ref window.Width;
        (_outputPlanes, _height, _width) = (deep.Output, high.Output, wide.Output);
        IsInPlace = IsUnpadded(deep) && IsUnpadded(high) && IsUnpadded(wide) && job.Runs.Length == job.Runs.Depth && (job.Segment == job.Channels || wide.Kernel == 1);
        PixelBytes = IsInPlace ? job.Channels : job.Segment;
        long pixelOfRow = checked((long)deep.Kernel * Reach(high) * PixelBytes);
        int most = (int)Math.Clamp((RowBytes / pixelOfRow - Reach(wide)) / wide.Stride + 1, tileRows, int.MaxValue);
        _widthParts = (_width + most - 1) / most;
        LongestRow = (_width + _widthParts - 1) / _widthParts;
        Pitch = IsInPlace ? wide.Input * PixelBytes : checked(Columns(wide, LongestRow) * PixelBytes);
        long rowBytes = checked((long)deep.Kernel * Pitch);
        int rows = (int)Math.Clamp((BlockBytes / rowBytes - Reach(high)) / high.Stride + 1, 1, _height);
        int images = (int)(job.Gemm.M / window.Outputs);
        _rowParts = (_height + rows - 1) / rows;
        // The threads should have as many pieces each; or else as many panels, where pieces would differ by more than a sixteenth.
        int evenParts = Math.Min(_height, (_rowParts + threads - 1) / threads * threads), longest = (_height + evenParts - 1) / evenParts;
        if ((long)images * _outputPlanes * _widthParts * _rowParts % threads != 0 && (longest * evenParts - _height) * LeastEvenness <= _height)
            _rowParts = evenParts;
        MostRows = (_height + _rowParts - 1) / _rowParts;
        Pieces = checked(images * _outputPlanes * _rowParts * _widthParts);
        PieceBytes = IsInPlace ? 0 : checked((int)(rowBytes * InputRows(high, MostRows) + Slack - 1) / Slack * Slack + Slack);
        long seen = Math.Max(rowBytes * InputRows(high, MostRows), 1);
        _piecesOfBlock = _rowParts * _widthParts > 1 ? 1 : (int)Math.Clamp(BlockBytes / seen, 1, Math.Max(1, Pieces / threads));
        PlaneBytes = IsInPlace ? (nint)high.Input * Pitch * deep.Dilation : (nint)InputRows(high, MostRows) * Pitch;
    }

    /// <summary>Whether the input is read where it is.</summary>
    public bool IsInPlace { get; }

    /// <summary>Bytes from one column of what is read to the next, from one row and from one of the kernel's planes.</summary>
    public int PixelBytes { get; }
    public int Pitch { get; }
    public nint PlaneBytes { get; }

    public int Pieces { get; }

    /// <summary>The copy of a piece; 0 where there is none.</summary>
    public int PieceBytes { get; }

    public int PiecesOfBlock => _piecesOfBlock;

    public int Blocks => (Pieces + _piecesOfBlock - 1) / _piecesOfBlock;

    /// <summary>Outputs of a piece's row at most, and its rows.</summary>
    public int LongestRow { get; }
    public int MostRows { get; }

    /// <summary>Whether all outputs of a row are in one piece.</summary>
    public bool HasWholeRows => _widthParts == 1;

    /// <summary>The first piece of a block.</summary>
    public int First(int block) => EvenSplit.Part(Pieces, block, Blocks);

    public OutputPiece Piece(int piece)
    {
        (int rest, int widthPart) = Math.DivRem(piece, _widthParts);
        (rest, int rowPart) = Math.DivRem(rest, _rowParts);
        (int image, int depth) = Math.DivRem(rest, _outputPlanes);
        int height = EvenSplit.Part(_height, rowPart, _rowParts), width = EvenSplit.Part(_width, widthPart, _widthParts);
        return new OutputPiece
        {
            Image = image,
            Depth = depth,
            Height = height,
            Count = EvenSplit.Part(_height, rowPart + 1, _rowParts) - height,
            Width = width,
            Length = EvenSplit.Part(_width, widthPart + 1, _widthParts) - width,
        };
    }

    /// <summary>Input rows or columns that so many outputs see.</summary>
    public static int InputRows(in WindowDimension dimension, int outputs) => checked((outputs - 1) * dimension.Stride + Reach(in dimension));

    private static int Columns(in WindowDimension wide, int outputs) => InputRows(in wide, outputs);

    private static int Reach(in WindowDimension dimension) => checked((dimension.Kernel - 1) * dimension.Dilation + 1);

    private static bool IsUnpadded(in WindowDimension dimension) => dimension.Offset >= 0 && (dimension.Output - 1L) * dimension.Stride + Reach(in dimension) + dimension.Offset <= dimension.Input;
}
