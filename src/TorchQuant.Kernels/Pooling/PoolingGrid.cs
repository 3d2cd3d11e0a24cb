using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Pictures with the channels last, [batch, height, width, channels], and the windows on them: sliding ones, or as many as an adaptive pooling gives.</summary>
internal readonly struct PoolingGrid
{
    private readonly PoolingDimension _vertical, _horizontal;
    private readonly bool _isAdaptive;

    public PoolingGrid(int batch, int height, int width, int channels, PoolingDimension vertical, PoolingDimension horizontal)
    {
        (Batch, Height, Width, Channels, _vertical, _horizontal) = (batch, height, width, channels, vertical, horizontal);
        CheckInput();
        vertical.Check(nameof(vertical), height);
        horizontal.Check(nameof(horizontal), width);
        (OutputHeight, OutputWidth) = (vertical.OutputSize(height), horizontal.OutputSize(width));
        for (int y = 0; y < OutputHeight; y++)
            CheckSpan(Vertical(y), nameof(vertical));
        for (int x = 0; x < OutputWidth; x++)
            CheckSpan(Horizontal(x), nameof(horizontal));
    }

    public PoolingGrid(int batch, int height, int width, int channels, int outputHeight, int outputWidth)
    {
        (Batch, Height, Width, Channels, OutputHeight, OutputWidth, _isAdaptive) = (batch, height, width, channels, outputHeight, outputWidth, true);
        CheckInput();
        Argument.IsAtLeast(outputHeight, 1, nameof(outputHeight));
        Argument.IsAtLeast(outputWidth, 1, nameof(outputWidth));
    }

    public int Batch { get; }

    public int Height { get; }

    public int Width { get; }

    public int Channels { get; }

    public int OutputHeight { get; }

    public int OutputWidth { get; }

    /// <summary>The distance in memory of a window's elements.</summary>
    public nint RowStep => (nint)Width * Channels * (_isAdaptive ? 1 : _vertical.Dilation);

    public nint ColumnStep => (nint)Channels * (_isAdaptive ? 1 : _horizontal.Dilation);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolingSpan Vertical(int output) => _isAdaptive ? PoolingSpan.OfAdaptive(output, Height, OutputHeight) : _vertical.Of(output, Height);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolingSpan Horizontal(int output) => _isAdaptive ? PoolingSpan.OfAdaptive(output, Width, OutputWidth) : _horizontal.Of(output, Width);

    public void Check(int inputLength, int outputLength, int threads)
    {
        Argument.HasLength(inputLength, (long)Batch * Height * Width * Channels, "input", "batch * height * width * channels");
        Argument.HasLength(outputLength, (long)Batch * OutputHeight * OutputWidth * Channels, "output", "batch * height * width * channels of the windows");
        Argument.IsAtLeast(threads, 1, nameof(threads));
    }

    private void CheckInput()
    {
        Argument.IsAtLeast(Batch, 0, "batch");
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
