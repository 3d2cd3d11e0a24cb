using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Max pooling of codes with the channels last: the largest code of each window, whatever the scale and the zero point. Positions in the padding do not count.</summary>
public static unsafe class Int8MaxPool
{
    /// <summary>Pools.</summary>
    /// <param name="input">The codes [batch, height, width, channels]; one row (height 1) for signals.</param>
    /// <param name="batch">How many pictures.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <param name="channels">Their channels.</param>
    /// <param name="vertical">The windows along the height.</param>
    /// <param name="horizontal">The windows along the width.</param>
    /// <param name="output">Receives [batch, vertical.OutputSize(height), horizontal.OutputSize(width), channels].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a window has no meaning.</exception>
    public static void Run(
        ReadOnlySpan<byte> input, int batch, int height, int width, int channels, PoolingDimension vertical, PoolingDimension horizontal, Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, new PoolingGrid(batch, height, width, channels, vertical, horizontal), output, threads);

    /// <summary>Pools volumes.</summary>
    /// <param name="input">The codes [batch, depth, height, width, channels].</param>
    /// <param name="batch">How many volumes.</param>
    /// <param name="depth">Their depth.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <param name="channels">Their channels.</param>
    /// <param name="deep">The windows along the depth.</param>
    /// <param name="vertical">The windows along the height.</param>
    /// <param name="horizontal">The windows along the width.</param>
    /// <param name="output">Receives [batch, deep.OutputSize(depth), vertical.OutputSize(height), horizontal.OutputSize(width), channels].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a window has no meaning.</exception>
    public static void Run(
        ReadOnlySpan<byte> input, int batch, int depth, int height, int width, int channels, PoolingDimension deep, PoolingDimension vertical, PoolingDimension horizontal, Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, new PoolingGrid(batch, depth, height, width, channels, deep, vertical, horizontal), output, threads);

    internal static void Run(Isa isa, ReadOnlySpan<byte> input, PoolingGrid grid, Span<byte> output, int threads)
    {
        grid.Check(input.Length, output.Length, threads);
        fixed (byte* source = input, target = output)
            new PoolingLoop<Largest>(default, source, target, grid).Run(isa, threads);
    }

    private readonly struct Largest : IPooling
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Divisor(PoolingSpan deep, PoolingSpan vertical, PoolingSpan horizontal) => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Block<TLanes, TFloat, TInt>(byte* source, byte* target, PoolingWindow window) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TInt largest = TLanes.LoadInt((int*)source);
            for (int z = 0; z < window.Planes; z++)
            {
                byte* plane = source + z * window.PlaneStep;
                for (int y = 0; y < window.Rows; y++)
                {
                    byte* element = plane + y * window.RowStep;
                    int x = 0;
                    for (; x <= window.Columns - 3; x += 3, element += 3 * window.ColumnStep)
                    {
                        TInt pair = TLanes.MaxBytes(TLanes.LoadInt((int*)element), TLanes.LoadInt((int*)(element + window.ColumnStep)));
                        largest = TLanes.MaxBytes(largest, TLanes.MaxBytes(pair, TLanes.LoadInt((int*)(element + 2 * window.ColumnStep))));
                    }

                    for (; x < window.Columns; x++, element += window.ColumnStep)
                        largest = TLanes.MaxBytes(largest, TLanes.LoadInt((int*)element));
                }
            }

            TLanes.StoreInt(largest, (int*)target);
        }

        public byte Single(byte* source, PoolingWindow window)
        {
            byte largest = 0;
            for (int z = 0; z < window.Planes; z++)
            {
                for (int y = 0; y < window.Rows; y++)
                {
                    for (int x = 0; x < window.Columns; x++)
                        largest = Math.Max(largest, source[z * window.PlaneStep + y * window.RowStep + x * window.ColumnStep]);
                }
            }

            return largest;
        }
    }
}
