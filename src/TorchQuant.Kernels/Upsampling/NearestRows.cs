using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The rows of outputs that repeat one row of the input: the first is put together, the others are copies of it.</summary>
internal readonly unsafe struct NearestRows(byte* input, byte* output, UpsampleDimension vertical, UpsampleDimension horizontal, int channels) : IRowBody
{
    private const int BytesPerNanosecond = 20;

    public static long Nanoseconds(UpsampleDimension vertical, UpsampleDimension horizontal, int channels) =>
        1 + (long)horizontal.Output * channels * vertical.Output / vertical.Input / BytesPerNanosecond;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
    {
        (int batch, int y) = Math.DivRem((int)row, vertical.Input);
        (int first, int end) = (FirstOutput(y), FirstOutput(y + 1));
        if (first == end)
            return;
        nint length = (nint)horizontal.Output * channels;
        byte* target = output + ((nint)batch * vertical.Output + first) * length;
        Stretch<TLanes, TFloat, TInt>(input + row * horizontal.Input * channels, target);
        for (int copy = first + 1; copy < end; copy++)
            Buffer.MemoryCopy(target, target + (copy - first) * length, length, length);
    }

    /// <summary>The first output whose nearest row is this one or a later one: they are in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FirstOutput(int y)
    {
        int low = 0, high = vertical.Output;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (vertical.Nearest(middle) < y)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Stretch<TLanes, TFloat, TInt>(byte* source, byte* target) where TLanes : struct, ILanes<TFloat, TInt>
    {
        int block = 4 * TLanes.Count;
        if (channels >= block && horizontal.IsDouble)
        {
            Double<TLanes, TFloat, TInt>(source, target);
            return;
        }

        for (int x = 0; x < horizontal.Output; x++, target += channels)
        {
            byte* pixel = source + (nint)horizontal.Nearest(x) * channels;
            if (channels >= block)
            {
                // The last vector may begin earlier than the one before ends.
                for (int c = 0; c < channels; c += block)
                {
                    int at = Math.Min(c, channels - block);
                    TLanes.StoreInt(TLanes.LoadInt((int*)(pixel + at)), (int*)(target + at));
                }
            }
            else
            {
                Unsafe.CopyBlockUnaligned(target, pixel, (uint)channels);
            }
        }
    }

    /// <summary>Each pixel is read once and written twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Double<TLanes, TFloat, TInt>(byte* source, byte* target) where TLanes : struct, ILanes<TFloat, TInt>
    {
        int block = 4 * TLanes.Count, count = channels;
        for (int x = horizontal.Input; x > 0; x--, source += count, target += 2 * count)
        {
            for (int c = 0; c < count; c += block)
            {
                int at = Math.Min(c, count - block);
                TInt codes = TLanes.LoadInt((int*)(source + at));
                TLanes.StoreInt(codes, (int*)(target + at));
                TLanes.StoreInt(codes, (int*)(target + count + at));
            }
        }
    }
}
