using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Average pooling of codes with the channels last, in the scale and the zero point of the input: code = clamp(round_half_even(float(sum - count zero point) * (1 / divisor)) + zero point, 0, 255), where
/// positions in the padding are real zero. The integers of libtorch's quantized avg_pool and adaptive_avg_pool of tensors with the channels last.
/// </summary>
public static unsafe class Int8AveragePool
{
    /// <summary>Pools by sliding windows.</summary>
    /// <param name="input">The codes [batch, height, width, channels]; one row (height 1) for signals.</param>
    /// <param name="batch">How many pictures.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <param name="channels">Their channels.</param>
    /// <param name="vertical">The windows along the height; without dilation.</param>
    /// <param name="horizontal">The windows along the width; without dilation.</param>
    /// <param name="zeroPoint">The zero point of input and output, within 0..255.</param>
    /// <param name="output">Receives [batch, vertical.OutputSize(height), horizontal.OutputSize(width), channels].</param>
    /// <param name="countIncludePad">Whether positions in the padding count in the divisor.</param>
    /// <param name="divisor">The divisor of all windows; 0: the number of a window's positions.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Run(
        ReadOnlySpan<byte> input, int batch, int height, int width, int channels, PoolingDimension vertical, PoolingDimension horizontal, int zeroPoint, Span<byte> output,
        bool countIncludePad = true, int divisor = 0, int threads = 1)
    {
        if (vertical.Dilation != 1 || horizontal.Dilation != 1)
            throw new ArgumentException($"The windows of an average have the dilations {vertical.Dilation} and {horizontal.Dilation}; expected 1.", nameof(vertical));
        Argument.IsAtLeast(divisor, 0, nameof(divisor));
        Run(Isa.Current, input, new PoolingGrid(batch, height, width, channels, vertical, horizontal), zeroPoint, output, countIncludePad, divisor, threads);
    }

    /// <summary>Pools volumes by sliding windows.</summary>
    /// <param name="input">The codes [batch, depth, height, width, channels].</param>
    /// <param name="batch">How many volumes.</param>
    /// <param name="depth">Their depth.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <param name="channels">Their channels.</param>
    /// <param name="deep">The windows along the depth; without dilation.</param>
    /// <param name="vertical">The windows along the height; without dilation.</param>
    /// <param name="horizontal">The windows along the width; without dilation.</param>
    /// <param name="zeroPoint">The zero point of input and output, within 0..255.</param>
    /// <param name="output">Receives [batch, deep.OutputSize(depth), vertical.OutputSize(height), horizontal.OutputSize(width), channels].</param>
    /// <param name="countIncludePad">Whether positions in the padding count in the divisor.</param>
    /// <param name="divisor">The divisor of all windows; 0: the number of a window's positions.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Run(
        ReadOnlySpan<byte> input, int batch, int depth, int height, int width, int channels, PoolingDimension deep, PoolingDimension vertical, PoolingDimension horizontal, int zeroPoint, Span<byte> output,
        bool countIncludePad = true, int divisor = 0, int threads = 1)
    {
        if (deep.Dilation != 1 || vertical.Dilation != 1 || horizontal.Dilation != 1)
            throw new ArgumentException($"The windows of an average have the dilations {deep.Dilation}, {vertical.Dilation} and {horizontal.Dilation}; expected 1.", nameof(deep));
        Argument.IsAtLeast(divisor, 0, nameof(divisor));
        Run(Isa.Current, input, new PoolingGrid(batch, depth, height, width, channels, deep, vertical, horizontal), zeroPoint, output, countIncludePad, divisor, threads);
    }

    /// <summary>Pools by windows that divide the input evenly, from floor(o size / outputs) to ceil((o + 1) size / outputs).</summary>
    /// <param name="input">The codes [batch, height, width, channels].</param>
    /// <param name="batch">How many pictures.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <param name="channels">Their channels.</param>
    /// <param name="outputHeight">Windows along the height.</param>
    /// <param name="outputWidth">Windows along the width.</param>
    /// <param name="zeroPoint">The zero point of input and output, within 0..255.</param>
    /// <param name="output">Receives [batch, outputHeight, outputWidth, channels].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void RunAdaptive(
        ReadOnlySpan<byte> input, int batch, int height, int width, int channels, int outputHeight, int outputWidth, int zeroPoint, Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, new PoolingGrid(batch, height, width, channels, outputHeight, outputWidth), zeroPoint, output, countIncludePad: true, divisor: 0, threads);

    /// <summary>Pools volumes by windows that divide the input evenly, from floor(o size / outputs) to ceil((o + 1) size / outputs).</summary>
    /// <param name="input">The codes [batch, depth, height, width, channels].</param>
    /// <param name="batch">How many volumes.</param>
    /// <param name="depth">Their depth.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <param name="channels">Their channels.</param>
    /// <param name="outputDepth">Windows along the depth.</param>
    /// <param name="outputHeight">Windows along the height.</param>
    /// <param name="outputWidth">Windows along the width.</param>
    /// <param name="zeroPoint">The zero point of input and output, within 0..255.</param>
    /// <param name="output">Receives [batch, outputDepth, outputHeight, outputWidth, channels].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void RunAdaptive(
        ReadOnlySpan<byte> input, int batch, int depth, int height, int width, int channels, int outputDepth, int outputHeight, int outputWidth, int zeroPoint, Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, new PoolingGrid(batch, depth, height, width, channels, outputDepth, outputHeight, outputWidth), zeroPoint, output, countIncludePad: true, divisor: 0, threads);

    internal static void Run(Isa isa, ReadOnlySpan<byte> input, PoolingGrid grid, int zeroPoint, Span<byte> output, bool countIncludePad, int divisor, int threads)
    {
        Argument.IsZeroPoint(zeroPoint, byte.MinValue, byte.MaxValue, nameof(zeroPoint));
        grid.Check(input.Length, output.Length, threads);
        fixed (byte* source = input, target = output)
            new PoolingLoop<Average>(new Average(zeroPoint, countIncludePad, divisor), source, target, grid).Run(isa, threads);
    }

    private readonly struct Average(int zeroPoint, bool countIncludePad, int divisor) : IPooling
    {
        /// <summary>So many codes fit 16 bits.</summary>
        private const int MostInShorts = 256;

        private const int EvenBytes = 0x00FF00FF, EvenShorts = 0x0000FFFF;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Divisor(PoolingSpan deep, PoolingSpan vertical, PoolingSpan horizontal) =>
            divisor != 0 ? divisor : countIncludePad ? deep.WithPadding * vertical.WithPadding * horizontal.WithPadding : deep.Count * vertical.Count * horizontal.Count;

        /// <summary>
        /// Every 32 bits hold four channels. Those with an even and those with an odd number are summed in 16 bits each, now and then moved to 32 bits, and come together again as codes.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Block<TLanes, TFloat, TInt>(byte* source, byte* target, PoolingWindow window) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TInt bytes = TLanes.BroadcastInt(EvenBytes), shorts = TLanes.BroadcastInt(EvenShorts), none = TLanes.BroadcastInt(0);
            TInt first = none, second = none, third = none, fourth = none, even = none, odd = none;
            int room = MostInShorts;
            for (int z = 0; z < window.Planes; z++)
            {
                byte* plane = source + z * window.PlaneStep;
                for (int y = 0; y < window.Rows; y++)
                {
                    byte* element = plane + y * window.RowStep;
                    for (int x = 0; x < window.Columns; x++, element += window.ColumnStep)
                    {
                        TInt codes = TLanes.LoadInt((int*)element);
                        even = TLanes.AddInt(even, TLanes.AndInt(codes, bytes));
                        odd = TLanes.AddInt(odd, TLanes.AndInt(TLanes.ShiftRightInt(codes, 8), bytes));
                        if (--room == 0)
                        {
                            (first, third) = (TLanes.AddInt(first, TLanes.AndInt(even, shorts)), TLanes.AddInt(third, TLanes.AndInt(TLanes.ShiftRightInt(even, 16), shorts)));
                            (second, fourth) = (TLanes.AddInt(second, TLanes.AndInt(odd, shorts)), TLanes.AddInt(fourth, TLanes.AndInt(TLanes.ShiftRightInt(odd, 16), shorts)));
                            (even, odd, room) = (none, none, MostInShorts);
                        }
                    }
                }
            }

            (first, third) = (TLanes.AddInt(first, TLanes.AndInt(even, shorts)), TLanes.AddInt(third, TLanes.AndInt(TLanes.ShiftRightInt(even, 16), shorts)));
            (second, fourth) = (TLanes.AddInt(second, TLanes.AndInt(odd, shorts)), TLanes.AddInt(fourth, TLanes.AndInt(TLanes.ShiftRightInt(odd, 16), shorts)));
            TInt zeros = TLanes.BroadcastInt(window.Count * zeroPoint);
            TFloat multiplier = TLanes.Broadcast(1f / window.Divisor);
            TInt front = TLanes.OrInt(Codes<TLanes, TFloat, TInt>(first, zeros, multiplier), TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(second, zeros, multiplier), 8));
            TInt back = TLanes.OrInt(
                TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(third, zeros, multiplier), 16), TLanes.ShiftLeftInt(Codes<TLanes, TFloat, TInt>(fourth, zeros, multiplier), 24));
            TLanes.StoreInt(TLanes.OrInt(front, back), (int*)target);
        }

        public byte Single(byte* source, PoolingWindow window)
        {
            int sum = 0;
            for (int z = 0; z < window.Planes; z++)
            {
                for (int y = 0; y < window.Rows; y++)
                {
                    for (int x = 0; x < window.Columns; x++)
                        sum += source[z * window.PlaneStep + y * window.RowStep + x * window.ColumnStep];
                }
            }

            return (byte)Codes<ScalarLanes, float, int>(sum, window.Count * zeroPoint, 1f / window.Divisor);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TInt Codes<TLanes, TFloat, TInt>(TInt sum, TInt zeros, TFloat multiplier) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat scaled = TLanes.Multiply(TLanes.ToFloat(TLanes.SubtractInt(sum, zeros)), multiplier);
            return Elementwise<TLanes, TFloat, TInt>.NumbersToCodes(
                scaled, TLanes.Broadcast(-zeroPoint), TLanes.Broadcast(byte.MaxValue - zeroPoint), TLanes.BroadcastInt(zeroPoint));
        }
    }
}
