namespace TorchQuant.Kernels;

/// <summary>One convolution, or one group of it, as the drivers see it. All pointers are pinned by the caller for as long as it runs.</summary>
internal unsafe struct ConvolutionJob
{
    /// <summary>The input [images, depth, height, width, channels], from the first channel that takes part.</summary>
    public byte* Input;

    /// <summary>The end of the input in memory: nothing is read from here on.</summary>
    public byte* InputEnd;

    /// <summary>Channels of the input, so bytes from one position to the next.</summary>
    public int Channels;

    /// <summary>Channels that take part.</summary>
    public int Segment;

    /// <summary>How the rows of the kernel lie in the depth of the product.</summary>
    public KernelRuns Runs;
    public Window Window;

    /// <summary>Weights and output: a row for each output of the window. The activations are not set.</summary>
    public GemmJob Gemm;

    /// <summary>Where the outputs go if they are not rows one after the other.</summary>
    public OutputGrid Grid;

    /// <summary>For depthwise kernels: output channels for each input channel.</summary>
    public int Multiplier;

    /// <summary>For depthwise weights with zero points: a panel that sums the activations. Otherwise null.</summary>
    public sbyte* Ones;

    /// <summary>The first byte of a row of the input.</summary>
    public readonly byte* Row(int image, int depth, int height) =>
        Input + (((long)image * Window.Depth.Input + depth) * Window.Height.Input + height) * Window.Width.Input * Channels;
}
