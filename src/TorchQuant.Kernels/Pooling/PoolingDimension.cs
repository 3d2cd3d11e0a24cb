using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>How a pooling window slides along one spatial dimension.</summary>
/// <param name="Kernel">The number of its elements.</param>
/// <param name="Stride">The distance of neighbouring windows.</param>
/// <param name="Padding">Positions before the input and after it that windows may reach into, at most half of <paramref name="Kernel"/>.</param>
/// <param name="Dilation">The distance of a window's elements.</param>
/// <param name="CeilMode">Whether a last window counts that is not whole, if it begins within the input or the padding before it.</param>
public readonly record struct PoolingDimension(int Kernel, int Stride, int Padding = 0, int Dilation = 1, bool CeilMode = false)
{
    /// <summary>The number of windows; below 1 where the input is too small for one. PyTorch's formula: floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, or ceil.</summary>
    /// <param name="input">The input's size.</param>
    public int OutputSize(int input)
    {
        int span = input + 2 * Padding - Dilation * (Kernel - 1) - 1;
        int windows = (int)Math.Floor((span + (CeilMode ? Stride - 1 : 0)) / (double)Stride) + 1;
        return CeilMode && (windows - 1) * Stride >= input + Padding ? windows - 1 : windows;
    }

    /// <summary>The window of an output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal PoolingSpan Of(int output, int input)
    {
        int start = output * Stride - Padding;
        // The elements before the input are passed over, as are those behind it.
        int first = Math.Max(0, -start), end = input - start;
        if (Dilation != 1)
            (first, end) = ((first + Dilation - 1) / Dilation, (end + Dilation - 1) / Dilation);
        end = Math.Min(Kernel, end);
        return new PoolingSpan(start + first * Dilation, end - first, Math.Min(start + Kernel, input + Padding) - start);
    }

    internal void Check(string name, int input)
    {
        if (Kernel < 1 || Stride < 1 || Dilation < 1)
            throw new ArgumentException($"{name} has the kernel {Kernel}, the stride {Stride} and the dilation {Dilation}; expected at least 1 each.", name);
        if (Padding < 0 || Padding > Kernel / 2)
            throw new ArgumentException($"{name} has the padding {Padding}; expected 0 to {Kernel / 2}, half of the kernel.", name);
        if (OutputSize(input) < 1)
            throw new ArgumentException($"{name}: an input of the size {input} is too small for a window of {Kernel} elements {Dilation} apart with the padding {Padding}.", name);
    }
}
