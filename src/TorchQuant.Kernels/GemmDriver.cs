using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The only driver. Order: a block of rows that fits the L2 cache, in it one panel of 32 columns after the other, for each panel the tiles of rows:
/// the panel stays in L1 while the rows pass, K is never split, and a tile goes through the epilogue while it is in L1.
/// </summary>
internal static unsafe class GemmDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Activations of a block of rows: a part of the 1 MB L2 cache that leaves room for panels and outputs.</summary>
    private const int BlockBytes = 256 * 1024;

    private const int TileAlignment = 64;

    [SkipLocalsInit]
    public static void Run(ref readonly GemmJob job, int firstPanel, int endPanel)
    {
        byte* memory = stackalloc byte[TKernel.MaxRows * PackedWeights.PanelColumns * sizeof(int) + TileAlignment];
        int* tile = (int*)(((nuint)memory + (TileAlignment - 1)) & ~(nuint)(TileAlignment - 1));
        int blockRows = Math.Max(TKernel.MaxRows, (int)(BlockBytes / job.Stride) / TKernel.MaxRows * TKernel.MaxRows);
        for (int block = 0; block < job.M; block += blockRows)
        {
            int rows = Math.Min(blockRows, job.M - block);
            for (int panel = firstPanel; panel < endPanel; panel++)
                RunPanel(in job, panel, block, rows, tile);
        }
    }

    private static void RunPanel(ref readonly GemmJob job, int panel, int block, int rows, int* tile)
    {
        sbyte* weights = job.Panels + (long)panel * job.Groups * PackedWeights.GroupBytes;
        int column = panel * PackedWeights.PanelColumns;
        int columns = Math.Min(PackedWeights.PanelColumns, job.N - column);
        // Tiles of nearly equal height: 7 rows are 4 + 3, not 6 + 1, since a lone row costs as much as several.
        int tiles = (rows + TKernel.MaxRows - 1) / TKernel.MaxRows;
        for (int t = 0; t < tiles; t++)
        {
            int first = block + rows * t / tiles, end = block + rows * (t + 1) / tiles;
            TKernel.Run(end - first, job.A + first * job.Stride, job.Stride, weights, job.Groups, tile);
            GemmEpilogue<TLanes, TFloat, TInt>.Apply(in job, tile, first, end - first, column, columns);
        }
    }
}
