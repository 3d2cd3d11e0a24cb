using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The elements of a window along one dimension that lie in the input.</summary>
/// <param name="Start">The position of the first.</param>
/// <param name="Count">How many, at least 1.</param>
/// <param name="WithPadding">How many there are if those in the padding count; for windows without dilation.</param>
internal readonly record struct PoolingSpan(int Start, int Count, int WithPadding)
{
    /// <summary>The window of an output of adaptive pooling: from floor(o input / outputs) to ceil((o + 1) input / outputs).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PoolingSpan OfAdaptive(int output, int input, int outputs)
    {
        int start = (int)((long)output * input / outputs), end = (int)((((long)output + 1) * input + outputs - 1) / outputs);
        return new PoolingSpan(start, end - start, end - start);
    }
}
