using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The activation functions of the recurrent layers, vectorised. The absolute error is at most <see cref="MaxError"/> for every float, the result is the same bits for every
/// vector width, NaN gives NaN, and infinities give the limits exactly.
/// </summary>
public static class Activations
{
    /// <summary>The largest absolute difference from the exact function, of both functions.</summary>
    public const float MaxError = 2e-7f;

    /// <summary>output[i] = 1 / (1 + exp(-x[i])).</summary>
    /// <param name="x">Any numbers.</param>
    /// <param name="output">As many; may be the memory of <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="output"/> has another length than <paramref name="x"/>.</exception>
    public static void Sigmoid(ReadOnlySpan<float> x, Span<float> output) => Sigmoid(Isa.Current, x, output);

    /// <summary>output[i] = tanh(x[i]).</summary>
    /// <param name="x">Any numbers.</param>
    /// <param name="output">As many; may be the memory of <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="output"/> has another length than <paramref name="x"/>.</exception>
    public static void Tanh(ReadOnlySpan<float> x, Span<float> output) => Tanh(Isa.Current, x, output);

    internal static unsafe void Sigmoid(Isa isa, ReadOnlySpan<float> x, Span<float> output)
    {
        Argument.HasLength(output.Length, x.Length, nameof(output), "as many as x");
        fixed (float* source = x, target = output)
            isa.Run(new LaneLoop<SigmoidLoop>(new SigmoidLoop(source, target), x.Length));
    }

    internal static unsafe void Tanh(Isa isa, ReadOnlySpan<float> x, Span<float> output)
    {
        Argument.HasLength(output.Length, x.Length, nameof(output), "as many as x");
        fixed (float* source = x, target = output)
            isa.Run(new LaneLoop<TanhLoop>(new TanhLoop(source, target), x.Length));
    }
}

/// <summary>target[i] = sigmoid(source[i]).</summary>
internal readonly unsafe struct SigmoidLoop(float* source, float* target) : ILaneLoop
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
        TLanes.Store(ActivationLanes<TLanes, TFloat, TInt>.Sigmoid(TLanes.Load(source + i)), target + i);
}

/// <summary>target[i] = tanh(source[i]).</summary>
internal readonly unsafe struct TanhLoop(float* source, float* target) : ILaneLoop
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
        TLanes.Store(ActivationLanes<TLanes, TFloat, TInt>.Tanh(TLanes.Load(source + i)), target + i);
}
