namespace TorchQuant.Kernels;

/// <summary>
/// How the outputs of a depthwise convolution are divided. Elements along a column of the input lie in groups of four; what a kernel's column leaves of its groups holds
/// the next rows, so that the same columns serve several output rows: two for a kernel of 3, four for one of 5, with the weights moved down.
/// </summary>
internal struct DepthwisePlan
{
    /// <summary>Outputs of a row at once: their sums and the columns they see stay in the L1 cache.</summary>
    private const int MostOutputs = 128;

    /// <summary>Columns of the input that such outputs see, unless one alone sees more.</summary>
    private const int MostColumns = 1024;

    /// <summary>Outputs of a block at least, for which the terms of a panel are prepared once.</summary>
    private const int BlockOutputs = 512;

    private readonly int _height, _width, _depth, _rowGroups, _partsOfRow, _pieces, _piecesOfBlock;

    public DepthwisePlan(in Window window, int images)
    {
        (_depth, _height, _width) = (window.Depth.Output, window.Height.Output, window.Width.Output);
        int column = window.Depth.Kernel * window.Height.Kernel;
        Groups = (column + PackedWeights.GroupDepth - 1) / PackedWeights.GroupDepth;
        bool areRowsNeighbours = window.Depth.Kernel == 1 && window.Height.Dilation == 1;
        RowsTogether = areRowsNeighbours ? (Groups * PackedWeights.GroupDepth - column) / window.Height.Stride + 1 : 1;
        _rowGroups = (_height + RowsTogether - 1) / RowsTogether;
        int reach = (window.Width.Kernel - 1) * window.Width.Dilation + 1;
        int most = Math.Clamp((MostColumns - reach) / window.Width.Stride + 1, 1, MostOutputs);
        _partsOfRow = (_width + most - 1) / most;
        _pieces = checked(images * _depth * _rowGroups * _partsOfRow);
        _piecesOfBlock = Math.Max(1, BlockOutputs / (RowsTogether * Math.Min(_width, most)));
        LongestRow = (_width + _partsOfRow - 1) / _partsOfRow;
    }

    /// <summary>Groups of four elements in a column.</summary>
    public int Groups { get; }

    /// <summary>Output rows that the same columns serve.</summary>
    public int RowsTogether { get; }

    /// <summary>Outputs of a piece's row at most.</summary>
    public int LongestRow { get; }

    public readonly int Blocks => (_pieces + _piecesOfBlock - 1) / _piecesOfBlock;

    /// <summary>The first piece of a block.</summary>
    public readonly int First(int block) => Math.Min(block * _piecesOfBlock, _pieces);

    public readonly OutputPiece Piece(int piece)
    {
        (int rest, int part) = Math.DivRem(piece, _partsOfRow);
        (rest, int rowGroup) = Math.DivRem(rest, _rowGroups);
        (int image, int depth) = Math.DivRem(rest, _depth);
        int height = rowGroup * RowsTogether, width = EvenSplit.Part(_width, part, _partsOfRow);
        return new OutputPiece
        {
            Image = image,
            Depth = depth,
            Height = height,
            Count = Math.Min(RowsTogether, _height - height),
            Width = width,
            Length = EvenSplit.Part(_width, part + 1, _partsOfRow) - width,
        };
    }
}
