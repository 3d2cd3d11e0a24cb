using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Sigmoid and tanh of one vector, written once for every width. Both rest on 2^t = 2^n * 2^r with n = round(t) and r = t - n in [-1/2, 1/2]; 2^r is a polynomial of degree six
/// (minimax for the relative error, at most 1.6e-8 with the coefficients rounded to float, and exactly 1 at r = 0 so that sigmoid(0) = 1/2 and tanh(0) = 0); 2^n is built in the exponent bits.
/// </summary>
internal static class ActivationLanes<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const float Log2E = 1.44269504f;

    // 1.5 * 2^23 makes an addition round to a whole number and leave it in the low mantissa bits; 127 is the bias of the exponent.
    private const float Rounder = 12582912f + 127f;
    private const int MantissaBits = 23;
    private const int SignBit = int.MinValue;

    /// <summary>1 / (1 + 2^(-x log2 e)). Infinities give exactly 0 and 1, NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Sigmoid(TFloat x) => TLanes.Divide(TLanes.Broadcast(1f), SigmoidDivisor(x));

    /// <summary>sign(x) (1 - q) / (1 + q) with q = 2^(-2 |x| log2 e): odd, within [-1, 1]. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Tanh(TFloat x)
    {
        TFloat q = TanhPower(x), one = TLanes.Broadcast(1f);
        return WithSignOf(x, TLanes.Divide(TLanes.Subtract(one, q), TLanes.Add(one, q)));
    }

    /// <summary>sigmoid(x) tanh(y) with one division for both: divisions are what bounds a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat SigmoidTimesTanh(TFloat x, TFloat y)
    {
        TFloat q = TanhPower(y), one = TLanes.Broadcast(1f);
        return WithSignOf(y, TLanes.Divide(TLanes.Subtract(one, q), TLanes.Multiply(SigmoidDivisor(x), TLanes.Add(one, q))));
    }

    /// <summary>1 + 2^(-x log2 e), from 1 to infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat SigmoidDivisor(TFloat x)
    {
        // 2^128 is infinity and 2^-127 is 0 by their exponent bits: beyond them nothing changes. NaN must stand on the right of Min and Max to stay.
        TFloat t = TLanes.Multiply(x, TLanes.Broadcast(-Log2E));
        t = TLanes.Min(TLanes.Broadcast(128f), TLanes.Max(TLanes.Broadcast(-127f), t));
        return TLanes.Add(TLanes.Broadcast(1f), Exp2(t));
    }

    /// <summary>2^(-2 |x| log2 e), from 1 to 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat TanhPower(TFloat x)
    {
        TFloat minusMagnitude = TLanes.AsFloat(TLanes.OrInt(TLanes.AsInt(x), TLanes.BroadcastInt(SignBit)));
        return Exp2(TLanes.Max(TLanes.Broadcast(-127f), TLanes.Multiply(minusMagnitude, TLanes.Broadcast(2 * Log2E))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat WithSignOf(TFloat x, TFloat magnitude) =>
        TLanes.AsFloat(TLanes.OrInt(TLanes.AsInt(magnitude), TLanes.AndInt(TLanes.AsInt(x), TLanes.BroadcastInt(SignBit))));

    /// <summary>2^t for t in [-127, 128]; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Exp2(TFloat t)
    {
        TFloat rounder = TLanes.Broadcast(Rounder);
        TFloat shifted = TLanes.Add(t, rounder);
        TFloat r = TLanes.Subtract(t, TLanes.Subtract(shifted, rounder));
        TFloat power = TLanes.AsFloat(TLanes.ShiftLeftInt(TLanes.AsInt(shifted), MantissaBits));
        TFloat p = TLanes.Broadcast(0.000153533625f);
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(0.00133988744f));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(0.00961843736f));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(0.0555033247f));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(0.240226479f));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(0.693147203f));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f));
        return TLanes.Multiply(p, power);
    }
}
