using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Copies the part of an image that a piece of output rows sees, with what the padding puts around it: [planes of the kernel][rows][columns][channels that take part]. What an
/// output sees then needs no borders, and neighbouring outputs share it.
/// </summary>
internal unsafe struct PaddedInput
{
    /// <summary>The first row and column, which may lie in the padding, and how many of them.</summary>
    public int Row;
    public int Rows;
    public int Column;
    public int Columns;

    /// <summary>Bytes from one row of the target to the next, and from one plane.</summary>
    public nint Pitch;
    public nint PlaneBytes;

    /// <summary>Copies the planes that an output plane sees.</summary>
    public readonly void Copy(ConvolutionJob* job, int image, int outputPlane, byte* target)
    {
        ref readonly WindowDimension deep = ref job->Window.Depth;
        for (int k = 0; k < deep.Kernel; k++, target += PlaneBytes)
        {
            int plane = deep.Source(outputPlane * deep.Stride + k * deep.Dilation + deep.Offset, job->Window.Mode);
            if (plane >= 0)
                CopyPlane(job, image, plane, target);
            else
                new Span<byte>(target, (int)(Rows * Pitch)).Fill((byte)job->Gemm.Activation.ZeroPoint);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void CopyPlane(ConvolutionJob* job, int image, int plane, byte* target)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        int channels = job->Segment;
        int left = Math.Clamp(-Column, 0, Columns), right = Math.Clamp(Column + Columns - wide.Input, 0, Columns - left), inside = Columns - left - right;
        for (int row = Row; row < Row + Rows; row++, target += Pitch)
        {
            int source = job->Window.Height.Source(row, job->Window.Mode);
            if (source < 0)
            {
                new Span<byte>(target, Columns * channels).Fill((byte)job->Gemm.Activation.ZeroPoint);
                continue;
            }

            byte* from = job->Row(image, plane, source);
            FillBorder(job, from, Column, left, target);
            byte* first = from + (nint)(Column + left) * job->Channels, to = target + left * channels;
            if (channels == job->Channels)
                Unsafe.CopyBlockUnaligned(to, first, (uint)(inside * channels));
            else
                SegmentCopy.Copy(first, job->Channels, to, channels, inside, channels);
            FillBorder(job, from, Column + left + inside, right, to + inside * channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillBorder(ConvolutionJob* job, byte* row, int column, int count, byte* target)
    {
        int channels = job->Segment;
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
                new ReadOnlySpan<byte>(row + (nint)source * job->Channels, channels).CopyTo(new Span<byte>(target, channels));
        }
    }
}
