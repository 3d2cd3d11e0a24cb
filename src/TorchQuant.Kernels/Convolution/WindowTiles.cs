using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The tiles of a block: outputs of a row in tiles of nearly equal height, so of two heights; or, where rows are so short that two fit a tile, two rows in each, and one in the last.
/// </summary>
internal unsafe struct WindowTiles
{
    public int TallRows;
    public int TallTiles;

    public int LowRows;
    public int LowTiles;

    /// <summary>The low tiles; the tall ones are first in the list.</summary>
    public TilePlace* Low;

    /// <summary>Writes the list of the tiles of some pieces, which have the same number of outputs in a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static WindowTiles Place(ConvolutionJob* job, in WindowPlan plan, int firstPiece, int pieces, byte* inputs, int mostRows, TilePlace* places)
    {
        int outputs = plan.Piece(firstPiece).Length, tilesOfRow = (outputs + mostRows - 1) / mostRows;
        bool arePairs = 2 * outputs <= mostRows && plan.HasWholeRows && !job->Grid.IsSet;
        var tiles = new WindowTiles { LowRows = arePairs ? outputs : outputs / tilesOfRow };
        tiles.TallRows = arePairs ? 2 * outputs : tiles.LowRows + 1;
        int tallOfRow = arePairs ? 0 : outputs - tilesOfRow * tiles.LowRows;
        for (int piece = 0; piece < pieces; piece++)
        {
            OutputPiece rows = plan.Piece(firstPiece + piece);
            tiles.TallTiles += arePairs ? rows.Count / 2 : rows.Count * tallOfRow;
        }

        tiles.Low = places + tiles.TallTiles;
        TilePlace* tall = places, low = tiles.Low;
        for (int piece = 0; piece < pieces; piece++)
        {
            OutputPiece rows = plan.Piece(firstPiece + piece);
            byte* input = plan.IsInPlace ? Seen(job, in rows) : inputs + piece * plan.PieceBytes;
            nint rowBytes = (nint)job->Window.Height.Stride * plan.Pitch;
            for (int row = 0; row < rows.Count; row++, input += rowBytes)
            {
                if (!arePairs)
                    PlaceRow(job, in rows, row, input, (nint)job->Window.Width.Stride * plan.PixelBytes, in tiles, tallOfRow, tilesOfRow, ref tall, ref low);
                else if (row % 2 == 0)
                    *(row + 1 < rows.Count ? tall++ : low++) = new TilePlace { A = input, Second = rowBytes, Output = Output(job, in rows, row) };
            }
        }

        tiles.LowTiles = (int)(low - tiles.Low);
        return tiles;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PlaceRow(
        ConvolutionJob* job, in OutputPiece rows, int row, byte* input, nint stride, in WindowTiles tiles, int tallOfRow, int tilesOfRow, ref TilePlace* tall, ref TilePlace* low)
    {
        nint codes = Output(job, in rows, row), outputStep = job->Gemm.OutputStride * (job->Grid.IsSet ? job->Grid.Width.Step : 1);
        for (int tile = 0; tile < tilesOfRow; tile++)
        {
            bool isTall = tile < tallOfRow;
            int height = isTall ? tiles.TallRows : tiles.LowRows;
            *(isTall ? tall++ : low++) = new TilePlace { A = input, Second = TilePlace.FirstHalf(height) * stride, Output = codes };
            input += height * stride;
            codes += height * outputStep;
        }
    }

    /// <summary>The input that the first output of a piece sees, where there is no padding.</summary>
    private static byte* Seen(ConvolutionJob* job, in OutputPiece rows)
    {
        ref readonly Window window = ref job->Window;
        int plane = rows.Depth * window.Depth.Stride + window.Depth.Offset, row = rows.Height * window.Height.Stride + window.Height.Offset;
        return job->Row(rows.Image, plane, row) + ((nint)rows.Width * window.Width.Stride + window.Width.Offset) * job->Channels;
    }

    /// <summary>Where the codes of the first output of a row go.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Output(ConvolutionJob* job, in OutputPiece rows, int row)
    {
        var run = new WindowRun { Image = rows.Image, Depth = rows.Depth, Height = rows.Height + row, Width = rows.Width };
        long position = job->Grid.IsSet
            ? job->Grid.Position(in run)
            : (((long)run.Image * job->Window.Depth.Output + run.Depth) * job->Window.Height.Output + run.Height) * job->Window.Width.Output + run.Width;
        return (nint)position * job->Gemm.OutputStride;
    }
}
