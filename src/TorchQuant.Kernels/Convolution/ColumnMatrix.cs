using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The left side of the product for inputs of few channels: the codes along each column of the input that an output row sees, column by column [columns][kernel rows][channels].
/// What an output sees is then one piece, and those of neighbouring outputs overlap: the matrix is a stride apart, and each code is copied once for each row of the kernel
/// and not for each of its elements.
/// </summary>
internal unsafe struct ColumnMatrix
{
    /// <summary>Bytes that are read and written beyond what counts.</summary>
    public const int Slack = sizeof(ulong);

    /// <summary>Columns of the padded input that the outputs see.</summary>
    public int Columns;

    /// <summary>Bytes from one padded row of the input to the next.</summary>
    public readonly int RowBytes(int channels) => Columns * channels + Slack;

    /// <summary>Copies rows of an image from a position on, which may lie in the padding, with what the padding puts around them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Pad(ConvolutionJob* job, int image, int row, int rows, int column, byte* target)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        int channels = job->Channels;
        int left = Math.Clamp(-column, 0, Columns), right = Math.Clamp(column + Columns - wide.Input, 0, Columns - left), inside = Columns - left - right;
        for (int end = row + rows; row < end; row++, target += RowBytes(channels))
        {
            int source = job->Window.Height.Source(row, job->Window.Mode);
            if (source < 0)
            {
                new Span<byte>(target, Columns * channels).Fill((byte)job->Gemm.Activation.ZeroPoint);
                continue;
            }

            byte* from = job->Row(image, 0, source);
            PadBorder(job, from, column, left, target);
            SegmentCopy.Copy(from + (nint)(column + left) * channels, 0, target + left * channels, 0, 1, inside * channels);
            PadBorder(job, from, column + left + inside, right, target + (left + inside) * channels);
        }
    }

    /// <summary>Writes the columns of one output row.</summary>
    /// <param name="rows">The first padded row that it sees.</param>
    /// <param name="kernel">Rows of the kernel.</param>
    /// <param name="step">Bytes from one of them to the next.</param>
    /// <param name="channels">Channels, at most 8.</param>
    /// <param name="target">Receives [columns][kernel][channels] codes, and up to 7 bytes more.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Fill(byte* rows, int kernel, nint step, int channels, byte* target)
    {
        // Whole words: what they write beyond the channels is overwritten by the next.
        if (channels <= sizeof(uint))
        {
            for (int column = 0; column < Columns; column++, rows += channels)
            {
                byte* source = rows;
                for (int k = 0; k < kernel; k++, source += step, target += channels)
                    Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<uint>(source));
            }

            return;
        }

        for (int column = 0; column < Columns; column++, rows += channels)
        {
            byte* source = rows;
            for (int k = 0; k < kernel; k++, source += step, target += channels)
                Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<ulong>(source));
        }
    }

    /// <summary>
    /// Turns the columns of an output row, <paramref name="down"/> rows of the input further down, into those of the next: the matrix then begins as many rows later, where most of
    /// it is already, and the rows that come in take the place of those that the next column has no use for.
    /// </summary>
    /// <param name="rows">The first padded row that the next output row sees.</param>
    /// <param name="kernel">Rows of the kernel, more than <paramref name="down"/>.</param>
    /// <param name="down">Rows between the two.</param>
    /// <param name="step">Bytes from one padded row to the next.</param>
    /// <param name="channels">Channels, at most 8.</param>
    /// <param name="target">The columns of the output row.</param>
    /// <returns>Where those of the next begin.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly byte* MoveDown(byte* rows, int kernel, int down, nint step, int channels, byte* target)
    {
        ulong replaced = ulong.MaxValue >> (8 * (sizeof(ulong) - channels));
        target += down * channels;
        nint columnBytes = kernel * channels;
        for (int k = kernel - down; k < kernel; k++)
        {
            byte* source = rows + k * step, at = target + k * channels;
            for (int column = 0; column < Columns; column++, source += channels, at += columnBytes)
            {
                ulong old = Unsafe.ReadUnaligned<ulong>(at);
                Unsafe.WriteUnaligned(at, old ^ ((old ^ Unsafe.ReadUnaligned<ulong>(source)) & replaced));
            }
        }

        return target;
    }

    private static void PadBorder(ConvolutionJob* job, byte* row, int column, int count, byte* target)
    {
        int channels = job->Channels;
        if (job->Window.Mode == PaddingMode.Zeros)
        {
            new Span<byte>(target, count * channels).Fill((byte)job->Gemm.Activation.ZeroPoint);
            return;
        }

        for (int end = column + count; column < end; column++, target += channels)
        {
            int source = job->Window.Width.Source(column, job->Window.Mode);
            if (source < 0)
                new Span<byte>(target, channels).Fill((byte)job->Gemm.Activation.ZeroPoint);
            else
                new ReadOnlySpan<byte>(row + (nint)source * channels, channels).CopyTo(new Span<byte>(target, channels));
        }
    }
}
