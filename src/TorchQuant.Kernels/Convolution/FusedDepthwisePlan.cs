using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>How the outputs of a depthwise convolution by generated code are divided: pieces of some rows, whose part of the input stays in the L2 cache.</summary>
internal readonly struct FusedDepthwisePlan
{
    /// <summary>Padded input of a piece.</summary>
    private const int PieceBytes = 96 * 1024;

    /// <summary>Outputs of a row at once.</summary>
    private const int MostOutputs = 128;

    /// <summary>Unpacked columns that such outputs see, a part of the L1 cache; and outputs that see them at least, if they see more.</summary>
    private const int MostQuadsBytes = 24 * 1024, LeastOutputs = 14;

    /// <summary>Outputs of a block at least, for which the terms of the channels are prepared once.</summary>
    private const int BlockOutputs = 1024;

    /// <summary>Lines of the cache in a pixel up to which each thread should have pixels of its own: where channels end within a line, those of a neighbour are in it too.</summary>
    private const int FewLines = 4;

    private readonly int _height, _width, _rowParts, _widthParts, _pieces, _piecesOfBlock;
    private readonly int _reach, _stride, _rowReach, _rowStride;

    public FusedDepthwisePlan(in Window window, int images, int channels, int threads)
    {
        int leastBlocks = channels % DepthwiseCode.Channels != 0 && channels < FewLines * DepthwiseCode.Channels ? threads : 1;
        ref readonly WindowDimension high = ref window.Height, wide = ref window.Width;
        Form = new DepthwiseForm(in window);
        (_height, _width, _stride, _rowStride) = (high.Output, wide.Output, high.Stride, wide.Stride);
        (_reach, _rowReach) = (checked((high.Kernel - 1) * high.Dilation + 1), Form.KeepsColumns ? DepthwiseCode.Taps : checked((wide.Kernel - 1) * wide.Dilation + 1));
        int most = Form.KeepsColumns ? MostOutputs : Math.Clamp((MostQuadsBytes / (Form.Groups * DepthwiseColumnsCode.QuadsBytes) - _rowReach) / _rowStride + 1, LeastOutputs, MostOutputs);
        _widthParts = (_width + most - 1) / most;
        LongestRow = (_width + _widthParts - 1) / _widthParts;
        int together = Form.RowsTogether, rows = (PieceBytes / (Columns(LongestRow) * DepthwiseCode.Channels) - _reach) / _stride + 1;
        int piecesAcross = Math.Max(1, checked(images * _widthParts));
        rows = Math.Clamp(rows / together * together, together, RoundUp(_height));
        _rowParts = Math.Max((_height + rows - 1) / rows, Math.Min((leastBlocks + piecesAcross - 1) / piecesAcross, _height));
        MostRows = Math.Min(_height, RoundUp((_height + _rowParts - 1) / _rowParts));
        _rowParts = (_height + MostRows - 1) / MostRows;
        _pieces = checked(images * _rowParts * _widthParts);
        _piecesOfBlock = Math.Clamp(BlockOutputs / (MostRows * LongestRow), 1, Math.Max(1, _pieces / leastBlocks));
        // The code reads whole groups.
        InputBytes = checked((InputRows(MostRows) + Form.Groups * PackedWeights.GroupDepth * Form.RowStep) * Columns(LongestRow) * DepthwiseCode.Channels);
        QuadsBytes = Form.KeepsColumns ? 0 : checked(Columns(LongestRow) * Form.Groups * DepthwiseColumnsCode.QuadsBytes);
    }

    /// <summary>The code that computes it.</summary>
    public DepthwiseForm Form { get; }

    /// <summary>Outputs of a piece's row at most.</summary>
    public int LongestRow { get; }

    /// <summary>Outputs of a piece's row at least.</summary>
    public int ShortestRow => _width / _widthParts;

    /// <summary>Output rows of a piece at most.</summary>
    public int MostRows { get; }

    public int Blocks => (_pieces + _piecesOfBlock - 1) / _piecesOfBlock;

    /// <summary>Padded input of a piece at most.</summary>
    public int InputBytes { get; }

    /// <summary>Unpacked columns of a row at most; 0 if they stay in registers.</summary>
    public int QuadsBytes { get; }

    /// <summary>Columns of the input that this many outputs of a row read; those of a narrow kernel see fewer.</summary>
    public int Columns(int outputs) => checked((outputs - 1) * _rowStride + _rowReach);

    /// <summary>Rows of the input that this many output rows see.</summary>
    public int InputRows(int rows) => checked((rows - 1) * _stride + _reach);

    /// <summary>The first piece of a block.</summary>
    public int First(int block) => Math.Min(block * _piecesOfBlock, _pieces);

    public OutputPiece Piece(int piece)
    {
        (int rest, int part) = Math.DivRem(piece, _widthParts);
        (int image, int rowPart) = Math.DivRem(rest, _rowParts);
        int height = rowPart * MostRows, width = EvenSplit.Part(_width, part, _widthParts);
        return new OutputPiece
        {
            Image = image,
            Height = height,
            Count = Math.Min(MostRows, _height - height),
            Width = width,
            Length = EvenSplit.Part(_width, part + 1, _widthParts) - width,
        };
    }

    private int RoundUp(int rows) => (rows + Form.RowsTogether - 1) / Form.RowsTogether * Form.RowsTogether;
}
