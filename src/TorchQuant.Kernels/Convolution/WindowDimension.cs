namespace TorchQuant.Kernels;

/// <summary>One dimension of a sliding window: output o and element k of the kernel meet at the input's position o * Stride + k * Dilation + Offset.</summary>
internal struct WindowDimension
{
    /// <summary>Size of the input.</summary>
    public int Input;

    /// <summary>Number of outputs.</summary>
    public int Output;

    /// <summary>Number of elements of the kernel.</summary>
    public int Kernel;
    public int Stride;
    public int Dilation;

    /// <summary>Position of the first element for the first output: minus the padding.</summary>
    public int Offset;

    /// <summary>A dimension that is not there.</summary>
    public static WindowDimension None => new() { Input = 1, Output = 1, Kernel = 1, Stride = 1, Dilation = 1 };

    /// <summary>Where a position's value is, -1 if it is real zero.</summary>
    public readonly int Source(int position, PaddingMode mode)
    {
        if ((uint)position < (uint)Input)
            return position;
        return mode switch
        {
            PaddingMode.Zeros => -1,
            PaddingMode.Reflect => position < 0 ? -position : 2 * (Input - 1) - position,
            PaddingMode.Replicate => position < 0 ? 0 : Input - 1,
            _ => position < 0 ? position + Input : position - Input,
        };
    }

    /// <summary>The first output whose elements <paramref name="from"/> and later are all within the input's beginning.</summary>
    public readonly int FirstInside(int from) => Math.Clamp((-(Offset + from * Dilation) + Stride - 1) / Stride, 0, Output);

    /// <summary>The end of the outputs whose elements up to <paramref name="to"/> are all within the input's end.</summary>
    public readonly int EndInside(int to)
    {
        int last = Input - 1 - Offset - to * Dilation;
        return last < 0 ? 0 : Math.Min(last / Stride + 1, Output);
    }
}
