namespace TorchQuant.Kernels;

/// <summary>A sliding window over depth, height and width; a convolution in fewer dimensions has <see cref="WindowDimension.None"/> for the others.</summary>
internal struct Window
{
    public WindowDimension Depth;
    public WindowDimension Height;
    public WindowDimension Width;
    public PaddingMode Mode;

    /// <summary>The window of a convolution on an input and output of these sizes.</summary>
    public static Window Of(ConvolutionShape shape, ReadOnlySpan<int> inputSize, ReadOnlySpan<int> outputSize)
    {
        var window = new Window { Mode = shape.PaddingMode };
        for (int d = 0; d < ConvolutionShape.MostDimensions; d++)
        {
            int given = d - (ConvolutionShape.MostDimensions - shape.Dimensions);
            window.Set(d, given < 0 ? WindowDimension.None : new WindowDimension
            {
                Input = inputSize[given],
                Output = outputSize[given],
                Kernel = shape.Kernel[given],
                Stride = shape.Stride[given],
                Dilation = shape.Dilation[given],
                Offset = -shape.PaddingBegin[given],
            });
        }

        return window;
    }

    /// <summary>Outputs of one image.</summary>
    public readonly long Outputs => (long)Depth.Output * Height.Output * Width.Output;

    public void Set(int dimension, WindowDimension value)
    {
        switch (dimension)
        {
            case 0: Depth = value; break;
            case 1: Height = value; break;
            default: Width = value; break;
        }
    }
}
