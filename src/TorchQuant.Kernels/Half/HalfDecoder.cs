using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Decodes halves by arithmetic on their bits, for which no machine needs an instruction of its own. Exponent and mantissa of a half, put where a float has them, are the half times 2^-112,
/// subnormal numbers included; one multiplication mends that exactly. An arithmetic shift puts them there and keeps the sign on top. There are no infinities or NaN in the weights.
/// </summary>
internal static unsafe class HalfDecoder<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const float TwoTo112 = 5.192296858534828e33f;

    /// <summary>The sign, and five bits of exponent and ten of mantissa at the places of a float's lowest exponent and highest mantissa bits.</summary>
    private const int Kept = unchecked((int)0x8FFFE000);

    /// <summary>The weights of one input for the columns from <paramref name="pair"/> and for those from 16 + <paramref name="pair"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(uint* panel, nint input, nint pair, out TFloat low, out TFloat high)
    {
        TInt words = TLanes.LoadInt((int*)panel + input * HalfPanels.Pairs + pair);
        low = Decode(TLanes.ShiftLeftInt(words, 16));
        high = Decode(words);
    }

    /// <summary>The upper half of each word as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Decode(TInt words) =>
        TLanes.Multiply(TLanes.AsFloat(TLanes.AndInt(TLanes.ShiftRightInt(words, 3), TLanes.BroadcastInt(Kept))), TLanes.Broadcast(TwoTo112));
}
