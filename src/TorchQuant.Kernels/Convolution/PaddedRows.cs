using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// Copies the part of an image that a piece of output rows sees, for 64 channels: [rows][columns][64], with what the padding puts around it. The kernel then needs no
/// borders, and reads whole vectors that begin at a cache line.
/// </summary>
internal static unsafe class PaddedRows
{
    /// <summary>
    /// Copies rows and columns from a position of the padded image on, to rows <paramref name="step"/> bytes apart. Channels from <paramref name="channels"/> to 63 are not
    /// written within the input.
    /// </summary>
    public static void Fill(ConvolutionJob* job, int image, int row, int rows, int column, int columns, int channel, int channels, byte* target, nint step)
    {
        ref readonly WindowDimension high = ref job->Window.Height;
        byte zero = (byte)job->Gemm.Activation.ZeroPoint;
        for (int end = row + rows; row < end; row++, target += step)
        {
            int source = high.Source(row, job->Window.Mode);
            if (source < 0)
                new Span<byte>(target, columns * DepthwiseCode.Channels).Fill(zero);
            else
                FillRow(job, job->Row(image, 0, source) + channel, column, columns, channels, target);
        }
    }

    private static void FillRow(ConvolutionJob* job, byte* row, int column, int columns, int channels, byte* target)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        for (int end = column + columns; column < end;)
        {
            int source = wide.Source(column, job->Window.Mode), count = 1;
            if (source < 0)
            {
                Vector512.Create((byte)job->Gemm.Activation.ZeroPoint).Store(target);
            }
            else
            {
                // Within the input, all columns at once.
                count = source == column ? Math.Min(end, wide.Input) - column : 1;
                Copy(row + (nint)source * job->Channels, job->Channels, target, count, channels);
            }

            column += count;
            target += count * DepthwiseCode.Channels;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(byte* source, nint step, byte* target, int count, int channels)
    {
        if (channels < DepthwiseCode.Channels)
        {
            SegmentCopy.Copy(source, step, target, DepthwiseCode.Channels, count, channels);
            return;
        }

        for (; count > 0; count--, source += step, target += DepthwiseCode.Channels)
            Vector512.Load(source).Store(target);
    }
}
