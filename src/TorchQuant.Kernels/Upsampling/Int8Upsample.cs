namespace TorchQuant.Kernels;

/// <summary>Pictures of codes with the channels last in another size, in the scale and the zero point of the input: the integers of libtorch's quantized interpolation of channels-last tensors.</summary>
public static unsafe class Int8Upsample
{
    /// <summary>Repeats the nearest code.</summary>
    /// <param name="input">The codes [batch, vertical.Input, horizontal.Input, channels].</param>
    /// <param name="batch">How many pictures.</param>
    /// <param name="vertical">The height.</param>
    /// <param name="horizontal">The width.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="output">Receives [batch, vertical.Output, horizontal.Output, channels].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Nearest(ReadOnlySpan<byte> input, int batch, UpsampleDimension vertical, UpsampleDimension horizontal, int channels, Span<byte> output, int threads = 1) =>
        Nearest(Isa.Current, input, batch, vertical, horizontal, channels, output, threads);

    /// <summary>
    /// Interpolates linearly in both dimensions: code = clamp(round_half_even(u (w a + v b) + t (w c + v d) - zero point) + zero point, 0, 255) of the four codes around the place, a to its upper left, with the weights of
    /// the rows u = 1 - t and of the columns w = 1 - v; of each sum one product is fused with it, the second for the channels in eights and the first for those left over.
    /// </summary>
    /// <param name="input">The codes [batch, vertical.Input, horizontal.Input, channels].</param>
    /// <param name="batch">How many pictures.</param>
    /// <param name="vertical">The height.</param>
    /// <param name="horizontal">The width.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="zeroPoint">The zero point of input and output, within 0..255.</param>
    /// <param name="output">Receives [batch, vertical.Output, horizontal.Output, channels].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Bilinear(
        ReadOnlySpan<byte> input, int batch, UpsampleDimension vertical, UpsampleDimension horizontal, int channels, int zeroPoint, Span<byte> output, int threads = 1) =>
        Bilinear(Isa.Current, input, batch, vertical, horizontal, channels, zeroPoint, output, threads);

    internal static void Nearest(Isa isa, ReadOnlySpan<byte> input, int batch, UpsampleDimension vertical, UpsampleDimension horizontal, int channels, Span<byte> output, int threads)
    {
        Check(input.Length, batch, vertical, horizontal, channels, output.Length, threads);
        // libtorch copies where the sizes stay, whatever the scale factors are.
        if (vertical.Input == vertical.Output && horizontal.Input == horizontal.Output)
        {
            input.CopyTo(output);
            return;
        }

        fixed (byte* source = input, target = output)
            isa.Run(new RowLoop<NearestRows>(new NearestRows(source, target, vertical, horizontal, channels), batch * vertical.Input, threads, NearestRows.Nanoseconds(vertical, horizontal, channels)));
    }

    internal static void Bilinear(
        Isa isa, ReadOnlySpan<byte> input, int batch, UpsampleDimension vertical, UpsampleDimension horizontal, int channels, int zeroPoint, Span<byte> output, int threads)
    {
        Check(input.Length, batch, vertical, horizontal, channels, output.Length, threads);
        Argument.IsZeroPoint(zeroPoint, byte.MinValue, byte.MaxValue, nameof(zeroPoint));
        fixed (byte* source = input, target = output)
            isa.Run(new RowLoop<BilinearRows>(new BilinearRows(source, target, vertical, horizontal, channels, zeroPoint), batch * vertical.Output, threads, BilinearRows.Nanoseconds(horizontal, channels)));
    }

    private static void Check(int input, int batch, UpsampleDimension vertical, UpsampleDimension horizontal, int channels, int output, int threads)
    {
        vertical.Check(nameof(vertical));
        horizontal.Check(nameof(horizontal));
        Argument.IsAtLeast(batch, 0, nameof(batch));
        Argument.IsAtLeast(channels, 1, nameof(channels));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.HasLength(input, (long)batch * vertical.Input * horizontal.Input * channels, nameof(input), "batch * height * width * channels");
        Argument.HasLength(output, (long)batch * vertical.Output * horizontal.Output * channels, nameof(output), "batch * height * width * channels of the output");
    }
}
