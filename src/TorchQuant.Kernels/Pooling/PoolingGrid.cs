using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Volumes with the channels last, [batch, depth, height, width, channels], and the windows in them: sliding ones, or as many as an adaptive pooling gives. A picture is a volume of the depth 1.</summary>
internal readonly struct PoolingGrid
{
    private static readonly PoolingDimension s_flat = new(1, 1);

    private readonly PoolingDimension _deep, _vertical, _horizontal;
    private readonly bool _isAdaptive;

    public PoolingGrid(int batch, int height, int width, int channels, PoolingDimension vertical, PoolingDimension horizontal)
        : this(batch, 1, height, width, channels, s_flat, vertical, horizontal)
    {
    }

    public PoolingGrid(int batch, int depth, int height, int width, int channels, PoolingDimension deep, PoolingDimension vertical, PoolingDimension horizontal)
    {
        (Batch, Depth, Height, Width, Channels, _deep, _vertical, _horizontal) = (batch, depth, height, width, channels, deep, vertical, horizontal);
        CheckInput();
        deep.Check(nameof(deep), depth);
        vertical.Check(nameof(vertical), height);
        horizontal.Check(nameof(horizontal), width);
        (OutputDepth, OutputHeight, OutputWidth) = (deep.OutputSize(depth), vertical.OutputSize(height), horizontal.OutputSize(width));
        for (int z = 0; z < OutputDepth; z++)
            CheckSpan(Deep(z), nameof(deep));
        for (int y = 0; y < OutputHeight; y++)
            CheckSpan(Vertical(y), nameof(vertical));
        for (int x = 0; x < OutputWidth; x++)
            CheckSpan(Horizontal(x), nameof(horizontal));
    }

    public PoolingGrid(int batch, int height, int width, int channels, int outputHeight, int outputWidth) : this(batch, 1, height, width, channels, 1, outputHeight, outputWidth)
    {
    }

    public PoolingGrid(int batch, int depth, int height, int width, int channels, int outputDepth, int outputHeight, int outputWidth)
    {
        (Batch, Depth, Height, Width, Channels, OutputDepth, OutputHeight, OutputWidth, _isAdaptive) = (batch, depth, height, width, channels, outputDepth, outputHeight, outputWidth, true);
        CheckInput();
        Argument.IsAtLeast(outputDepth, 1, nameof(outputDepth));
        Argument.IsAtLeast(outputHeight, 1, nameof(outputHeight));
        Argument.IsAtLeast(outputWidth, 1, nameof(outputWidth));
    }

    public int Batch { get; }

    public int Depth { get; }

    public int Height { get; }

    public int Width { get; }

    public int Channels { get; }

    public int OutputDepth { get; }

    public int OutputHeight { get; }

    public int OutputWidth { get; }

    /// <summary>The distance in memory of a window's elements.</summary>
    public nint PlaneStep => (nint)Height * Width * Channels * (_isAdaptive ? 1 : _deep.Dilation);

    public nint RowStep => (nint)Width * Channels * (_isAdaptive ? 1 : _vertical.Dilation);

    public nint ColumnStep => (nint)Channels * (_isAdaptive ? 1 : _horizontal.Dilation);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolingSpan Deep(int output) => _isAdaptive ? PoolingSpan.OfAdaptive(output, Depth, OutputDepth) : _deep.Of(output, Depth);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolingSpan Vertical(int output) => _isAdaptive ? PoolingSpan.OfAdaptive(output, Height, OutputHeight) : _vertical.Of(output, Height);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolingSpan Horizontal(int output) => _isAdaptive ? PoolingSpan.OfAdaptive(output, Width, OutputWidth) : _horizontal.Of(output, Width);

    public void Check(int inputLength, int outputLength, int threads)
    {
        Argument.HasLength(inputLength, (long)Batch * Depth * Height * Width * Channels, "input", Depth == 1 ? "batch * height * width * channels" : "batch * depth * height * width * channels");
        Argument.HasLength(outputLength, (long)Batch * OutputDepth * OutputHeight * OutputWidth * Channels, "output", "batch * channels * the windows");
        Argument.IsAtLeast(threads, 1, nameof(threads));
    }

    private void CheckInput()
    {
        Argument.IsAtLeast(Batch, 0, "batch");
        Argument.IsAtLeast(Depth, 1, "depth");
        Argument.IsAtLeast(Height, 1, "height");
        Argument.IsAtLeast(Width, 1, "width");
        Argument.IsAtLeast(Channels, 1, "channels");
    }

    private static void CheckSpan(PoolingSpan span, string name)
    {
        if (span.Count < 1)
            throw new ArgumentException($"{name}: a window has all of its elements in the padding; expected at least one in the input.", name);
    }
}
