using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>What becomes of the codes of a window, written once for every vector width.</summary>
internal unsafe interface IPooling
{
    /// <summary>By what the sum of a window is divided.</summary>
    int Divisor(PoolingSpan deep, PoolingSpan vertical, PoolingSpan horizontal);

    /// <summary>4 * TLanes.Count neighbouring channels.</summary>
    void Block<TLanes, TFloat, TInt>(byte* source, byte* target, PoolingWindow window) where TLanes : struct, ILanes<TFloat, TInt>;

    /// <summary>One channel.</summary>
    byte Single(byte* source, PoolingWindow window);
}

/// <summary>Pools rows of outputs. A vector holds four channels in each of its numbers; what whole vectors leave over is done by a last one that begins earlier, or by narrower ones.</summary>
internal readonly unsafe struct PoolingLoop<TPooling>(TPooling pooling, byte* input, byte* output, PoolingGrid grid) : IRowBody
    where TPooling : unmanaged, IPooling
{
    /// <summary>Codes of windows that are read in a nanosecond, about.</summary>
    private const int CodesPerNanosecond = 40;

    /// <summary>Codes of an input that may lie beyond the second level of the cache.</summary>
    private const int CodesInCache = 512 * 1024;

    public void Run(Isa isa, int threads)
    {
        int rows = grid.Batch * grid.OutputDepth * grid.OutputHeight;
        if (rows == 0)
            return;
        long window = (long)grid.Deep(grid.OutputDepth / 2).Count * grid.Vertical(grid.OutputHeight / 2).Count * grid.Horizontal(grid.OutputWidth / 2).Count;
        isa.Run(new RowLoop<PoolingLoop<TPooling>>(this, rows, threads, 1 + (long)grid.OutputWidth * grid.Channels * window / CodesPerNanosecond));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
    {
        (int plane, int y) = Math.DivRem((int)row, grid.OutputHeight);
        (int batch, int z) = Math.DivRem(plane, grid.OutputDepth);
        PoolingSpan deep = grid.Deep(z), vertical = grid.Vertical(y);
        byte* source = input + (((nint)batch * grid.Depth + deep.Start) * grid.Height + vertical.Start) * grid.Width * grid.Channels;
        byte* target = output + row * grid.OutputWidth * grid.Channels;
        byte* ahead = source + (nint)vertical.Count * grid.Width * grid.Channels;
        nint part = CodesAhead(y, vertical) / grid.OutputWidth;
        for (int x = 0; x < grid.OutputWidth; x++)
        {
            CachePrefetch.Many(ahead + x * part, part);
            PoolingSpan horizontal = grid.Horizontal(x);
            var window = new PoolingWindow(deep.Count, vertical.Count, horizontal.Count, grid.PlaneStep, grid.RowStep, grid.ColumnStep, pooling.Divisor(deep, vertical, horizontal));
            Pixel<TLanes, TFloat, TInt>(source + (nint)horizontal.Start * grid.Channels, target, window);
            target += grid.Channels;
        }
    }

    /// <summary>The codes after those that a row of outputs reads which the next one needs too. A window reads some rows by turns: from far away it would wait for each.</summary>
    private nint CodesAhead(int y, PoolingSpan vertical)
    {
        nint row = (nint)grid.Width * grid.Channels;
        if (y + 1 == grid.OutputHeight || grid.RowStep != row || grid.Batch * grid.Depth * grid.Height * row <= CodesInCache)
            return 0;
        PoolingSpan next = grid.Vertical(y + 1);
        return (next.Start + next.Count - vertical.Start - vertical.Count) * row;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pixel<TLanes, TFloat, TInt>(byte* source, byte* target, PoolingWindow window) where TLanes : struct, ILanes<TFloat, TInt>
    {
        int channels = grid.Channels, block = 4 * TLanes.Count;
        if (channels >= block)
        {
            for (int c = 0; c < channels; c += block)
            {
                int at = Math.Min(c, channels - block);
                pooling.Block<TLanes, TFloat, TInt>(source + at, target + at, window);
            }
        }
        else if (typeof(TLanes) == typeof(Lanes512))
        {
            Pixel<Lanes256, System.Runtime.Intrinsics.Vector256<float>, System.Runtime.Intrinsics.Vector256<int>>(source, target, window);
        }
        else if (typeof(TLanes) != typeof(ScalarLanes))
        {
            Pixel<ScalarLanes, float, int>(source, target, window);
        }
        else
        {
            for (int c = 0; c < channels; c++)
                target[c] = pooling.Single(source + c, window);
        }
    }
}
