using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>How the outputs of a convolution by <see cref="DepthwiseCode"/> are divided: pieces of some rows, whose part of the input stays in the L2 cache.</summary>
internal readonly struct FusedDepthwisePlan
{
    /// <summary>Padded input of a piece.</summary>
    private const int PieceBytes = 96 * 1024;

    /// <summary>Outputs of a row at once.</summary>
    private const int MostOutputs = 128;

    /// <summary>Outputs of a block at least, for which the terms of the channels are prepared once.</summary>
    private const int BlockOutputs = 1024;

    private readonly int _height, _width, _rowParts, _widthParts, _pieces, _piecesOfBlock;
    private readonly int _kernel, _stride, _rowStride;

    public FusedDepthwisePlan(in Window window, int images)
    {
        (_height, _width, _kernel, _stride, _rowStride) = (window.Height.Output, window.Width.Output, window.Height.Kernel, window.Height.Stride, window.Width.Stride);
        RowsTogether = Math.Min(DepthwiseCode.MaxRows, (DepthwiseCode.MostInputRows - _kernel) / _stride + 1);
        _widthParts = (_width + MostOutputs - 1) / MostOutputs;
        LongestRow = (_width + _widthParts - 1) / _widthParts;
        int rows = (PieceBytes / (Columns(LongestRow) * DepthwiseCode.Channels) - _kernel) / _stride + 1;
        rows = Math.Clamp(rows / RowsTogether * RowsTogether, RowsTogether, RoundUp(_height));
        _rowParts = (_height + rows - 1) / rows;
        MostRows = Math.Min(_height, RoundUp((_height + _rowParts - 1) / _rowParts));
        _rowParts = (_height + MostRows - 1) / MostRows;
        _pieces = checked(images * _rowParts * _widthParts);
        _piecesOfBlock = Math.Max(1, BlockOutputs / (MostRows * LongestRow));
    }

    /// <summary>Output rows that are computed from the same columns.</summary>
    public int RowsTogether { get; }

    /// <summary>Outputs of a piece's row at most.</summary>
    public int LongestRow { get; }

    /// <summary>Outputs of a piece's row at least.</summary>
    public int ShortestRow => _width / _widthParts;

    /// <summary>Output rows of a piece at most.</summary>
    public int MostRows { get; }

    public int Blocks => (_pieces + _piecesOfBlock - 1) / _piecesOfBlock;

    /// <summary>Padded input of a piece at most; the code may read a row more than the outputs see.</summary>
    public int InputBytes => checked((Math.Max(InputRows(MostRows), InputRows(1) + 1) + DepthwiseCode.MostInputRows) * Columns(LongestRow) * DepthwiseCode.Channels);

    /// <summary>Columns of the input that this many outputs of a row read, for a narrow kernel more than they see.</summary>
    public int Columns(int outputs) => checked((outputs - 1) * _rowStride + DepthwiseCode.Taps);

    /// <summary>Rows of the input that this many output rows see.</summary>
    public int InputRows(int rows) => checked((rows - 1) * _stride + _kernel);

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

    private int RoundUp(int rows) => (rows + RowsTogether - 1) / RowsTogether * RowsTogether;
}
