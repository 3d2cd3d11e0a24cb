using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Rows of outputs between two rows of the input.</summary>
internal readonly unsafe struct BilinearRows(byte* input, byte* output, UpsampleDimension vertical, UpsampleDimension horizontal, int channels, int zeroPoint) : IRowBody
{
    private const int CodesPerNanosecond = 6;

    /// <summary>The width of libtorch's vectors: the channels that whole ones leave over it computes with other roundings.</summary>
    private const int ChannelsAtATime = 8;

    public static long Nanoseconds(UpsampleDimension horizontal, int channels) => 1 + (long)horizontal.Output * channels / CodesPerNanosecond;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
    {
        (int batch, int y) = Math.DivRem((int)row, vertical.Output);
        (int top, int down, float weight) = vertical.Between(y);
        nint width = (nint)horizontal.Input * channels;
        byte* upper = input + ((nint)batch * vertical.Input + top) * width, target = output + row * horizontal.Output * channels;
        for (int x = 0; x < horizontal.Output; x++, target += channels)
        {
            (int left, int right, float columnWeight) = horizontal.Between(x);
            byte* source = upper + (nint)left * channels;
            Pixel<TLanes, TFloat, TInt>(source, right * channels, down * width, target, 0, weight, columnWeight);
            if (channels % ChannelsAtATime != 0)
                Rest(source, right * channels, down * width, target, weight, columnWeight);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pixel<TLanes, TFloat, TInt>(byte* source, nint right, nint down, byte* target, int from, float rowWeight, float columnWeight) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TFloat lower = TLanes.Broadcast(rowWeight), upper = TLanes.Broadcast(1 - rowWeight), next = TLanes.Broadcast(columnWeight), first = TLanes.Broadcast(1 - columnWeight);
        TFloat zero = TLanes.Broadcast(zeroPoint);
        TInt shortZero = TLanes.BroadcastShort((short)zeroPoint), lowest = TLanes.BroadcastByte(byte.MinValue), highest = TLanes.BroadcastByte(byte.MaxValue);
        int c = from, whole = channels / ChannelsAtATime * ChannelsAtATime;
        for (; c <= whole - 4 * TLanes.Count; c += 4 * TLanes.Count)
        {
            TInt a = Rounded<TLanes, TFloat, TInt>(source + c, right, down, upper, lower, first, next, zero);
            TInt b = Rounded<TLanes, TFloat, TInt>(source + c + TLanes.Count, right, down, upper, lower, first, next, zero);
            TInt d = Rounded<TLanes, TFloat, TInt>(source + c + 2 * TLanes.Count, right, down, upper, lower, first, next, zero);
            TInt e = Rounded<TLanes, TFloat, TInt>(source + c + 3 * TLanes.Count, right, down, upper, lower, first, next, zero);
            TLanes.StoreCodes(a, b, d, e, shortZero, lowest, highest, target + c);
        }

        TInt zeroInt = TLanes.BroadcastInt(zeroPoint);
        TFloat least = TLanes.Broadcast(-zeroPoint), most = TLanes.Broadcast(byte.MaxValue - zeroPoint);
        for (; c <= whole - TLanes.Count; c += TLanes.Count)
        {
            TFloat scaled = Between<TLanes, TFloat, TInt>(source + c, right, down, upper, lower, first, next, zero);
            TLanes.StoreBytes(Elementwise<TLanes, TFloat, TInt>.NumbersToCodes(scaled, least, most, zeroInt), target + c);
        }

        if (c < whole)
            Pixel<ScalarLanes, float, int>(source, right, down, target, c, rowWeight, columnWeight);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Rounded<TLanes, TFloat, TInt>(byte* source, nint right, nint down, TFloat upper, TFloat lower, TFloat first, TFloat next, TFloat zero) where TLanes : struct, ILanes<TFloat, TInt> =>
        TLanes.RoundToInt(Between<TLanes, TFloat, TInt>(source, right, down, upper, lower, first, next, zero));

    /// <summary>The second product of each sum is fused with it, as in libtorch's vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Between<TLanes, TFloat, TInt>(byte* source, nint right, nint down, TFloat upper, TFloat lower, TFloat first, TFloat next, TFloat zero) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TFloat a = TLanes.ToFloat(TLanes.LoadBytes(source)), b = TLanes.ToFloat(TLanes.LoadBytes(source + right));
        TFloat c = TLanes.ToFloat(TLanes.LoadBytes(source + down)), d = TLanes.ToFloat(TLanes.LoadBytes(source + down + right));
        TFloat top = TLanes.FusedMultiplyAdd(next, b, TLanes.Multiply(first, a)), bottom = TLanes.FusedMultiplyAdd(next, d, TLanes.Multiply(first, c));
        return TLanes.Subtract(TLanes.FusedMultiplyAdd(lower, bottom, TLanes.Multiply(upper, top)), zero);
    }

    /// <summary>The first product of each sum is fused with it, as in libtorch's loop over the channels that are left over.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rest(byte* source, nint right, nint down, byte* target, float rowWeight, float columnWeight)
    {
        float rowRest = 1 - rowWeight, columnRest = 1 - columnWeight;
        for (int i = channels / ChannelsAtATime * ChannelsAtATime; i < channels; i++)
        {
            float top = MathF.FusedMultiplyAdd(columnRest, source[i], columnWeight * source[i + right]);
            float bottom = MathF.FusedMultiplyAdd(columnRest, source[i + down], columnWeight * source[i + down + right]);
            float scaled = MathF.FusedMultiplyAdd(rowRest, top, rowWeight * bottom) - zeroPoint;
            target[i] = (byte)Elementwise<ScalarLanes, float, int>.NumbersToCodes(scaled, -zeroPoint, byte.MaxValue - zeroPoint, zeroPoint);
        }
    }
}
