using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// Copies the part of an image that a piece of output rows sees, for up to 64 channels: [rows][columns][64], with what the padding puts around it. The kernel then needs no
/// borders, and reads whole vectors that begin at a cache line. Fewer channels leave room for those of other columns beside them (<see cref="Lanes"/>).
/// </summary>
internal unsafe struct PaddedRows
{
    /// <summary>The first row and column, which may lie in the padding, and how many of them.</summary>
    public int Row;
    public int Rows;
    public int Column;
    public int Columns;

    /// <summary>Channels, and bytes of a column that may be written: 64, 32 or 16.</summary>
    public int Channels;
    public int Lanes;

    /// <summary>Bytes from one row of the target to the next.</summary>
    public nint Step;

    /// <summary>Copies from the channel on that <paramref name="input"/> begins with, the address of an image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Copy(ConvolutionJob* job, byte* input, byte* target)
    {
        ref readonly WindowDimension high = ref job->Window.Height, wide = ref job->Window.Width;
        PaddingMode mode = job->Window.Mode;
        nint rowBytes = (nint)wide.Input * job->Channels;
        int left = Math.Clamp(-Column, 0, Columns), right = Math.Clamp(Column + Columns - wide.Input, 0, Columns - left), inside = Columns - left - right;
        bool hasZeros = mode == PaddingMode.Zeros;
        if (hasZeros && Channels == DepthwiseCode.Channels)
        {
            CopyWhole(job, input, target, left, inside, right);
            return;
        }

        for (int row = 0; row < Rows; row++, target += Step)
        {
            int source = high.Source(Row + row, mode);
            if (source < 0)
            {
                FillZeros(job, target, Columns);
                continue;
            }

            byte* from = input + source * rowBytes;
            CopyColumns(from + (nint)(Column + left) * job->Channels, job->Channels, target + left * DepthwiseCode.Channels, inside);
            if (left > 0)
                FillBorder(job, from, target, Column, left, hasZeros);
            if (right > 0)
                FillBorder(job, from, target + (left + inside) * DepthwiseCode.Channels, Column + left + inside, right, hasZeros);
        }
    }

    /// <summary>The common case without a call for each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void CopyWhole(ConvolutionJob* job, byte* input, byte* target, int left, int inside, int right)
    {
        Vector512<byte> zeros = Vector512.Create((byte)job->Gemm.Activation.ZeroPoint);
        nint step = job->Channels, rowBytes = job->Window.Width.Input * step;
        uint height = (uint)job->Window.Height.Input;
        byte* from = input + Row * rowBytes + (Column + left) * step;
        for (int row = Row; row < Row + Rows; row++, from += rowBytes, target += Step)
        {
            byte* source = from, to = target;
            bool isInside = (uint)row < height;
            for (int i = isInside ? left : Columns; i > 0; i--, to += DepthwiseCode.Channels)
                zeros.Store(to);
            if (!isInside)
                continue;
            int count = inside;
            for (; count >= 4; count -= 4, source += 4 * step, to += 4 * DepthwiseCode.Channels)
            {
                Vector512<byte> c0 = Vector512.Load(source), c1 = Vector512.Load(source + step), c2 = Vector512.Load(source + 2 * step), c3 = Vector512.Load(source + 3 * step);
                c0.Store(to);
                c1.Store(to + DepthwiseCode.Channels);
                c2.Store(to + 2 * DepthwiseCode.Channels);
                c3.Store(to + 3 * DepthwiseCode.Channels);
            }

            for (; count > 0; count--, source += step, to += DepthwiseCode.Channels)
                Vector512.Load(source).Store(to);
            for (int i = right; i > 0; i--, to += DepthwiseCode.Channels)
                zeros.Store(to);
        }
    }

    /// <summary>Columns that lie in the padding.</summary>
    private readonly void FillBorder(ConvolutionJob* job, byte* row, byte* target, int column, int count, bool hasZeros)
    {
        if (hasZeros)
        {
            FillZeros(job, target, count);
            return;
        }

        for (int end = column + count; column < end; column++, target += DepthwiseCode.Channels)
        {
            int source = job->Window.Width.Source(column, job->Window.Mode);
            if (source < 0)
                FillZeros(job, target, 1);
            else
                CopyColumns(row + (nint)source * job->Channels, 0, target, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void FillZeros(ConvolutionJob* job, byte* target, int count)
    {
        Vector512<byte> zeros = Vector512.Create((byte)job->Gemm.Activation.ZeroPoint);
        for (; count > 0; count--, target += DepthwiseCode.Channels)
        {
            if (Lanes == DepthwiseCode.Channels)
                zeros.Store(target);
            else if (Lanes == Vector256<byte>.Count)
                zeros.GetLower().Store(target);
            else
                zeros.GetLower().GetLower().Store(target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void CopyColumns(byte* source, nint step, byte* target, int count)
    {
        if (Channels < DepthwiseCode.Channels)
        {
            SegmentCopy.Copy(source, step, target, DepthwiseCode.Channels, count, Channels);
            return;
        }

        for (; count > 0; count--, source += step, target += DepthwiseCode.Channels)
            Vector512.Load(source).Store(target);
    }
}
