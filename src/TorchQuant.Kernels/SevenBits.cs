using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>Activation codes below 128, as PyTorch's <c>reduce_range</c> gives them: vpmaddubsw adds two products of such a code and a signed byte without saturation, 2 * 127 * 128 being below 2^15.</summary>
internal static unsafe class SevenBits
{
    private const byte TopBit = 0x80;

    /// <summary>Whether all codes of some rows are so.</summary>
    /// <param name="codes">The first row.</param>
    /// <param name="stride">Bytes from one row to the next.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="count">Codes of a row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool HoldAll(byte* codes, nint stride, int rows, nint count)
    {
        for (int row = 0; row < rows; row++, codes += stride)
        {
            if (!HoldAll(codes, count))
                return false;
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HoldAll(byte* codes, nint count)
    {
        Vector256<byte> any = default;
        nint i = 0;
        for (; i + Vector256<byte>.Count <= count; i += Vector256<byte>.Count)
            any |= Vector256.Load(codes + i);
        int rest = (int)any.ExtractMostSignificantBits();
        for (; i < count; i++)
            rest |= codes[i] & TopBit;
        return rest == 0;
    }
}
