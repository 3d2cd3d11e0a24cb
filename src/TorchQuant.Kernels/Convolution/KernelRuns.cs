namespace TorchQuant.Kernels;

/// <summary>
/// A row of a convolution's kernel, as it lies in the depth of the product: its elements with their channels are one run where they are one piece in the input, else each is a run.
/// Runs may be padded to whole groups of four, with weights that are real zeros: then each can be read in the input, where it is.
/// </summary>
internal readonly struct KernelRuns
{
    /// <summary>Padding that makes the product deeper than this costs more than gathering.</summary>
    private const int MostTimesDeeper = 2;

    /// <param name="width">Elements of the kernel's row.</param>
    /// <param name="dilation">Input positions from one to the next.</param>
    /// <param name="channels">Channels that take part.</param>
    /// <param name="mayPad">Whether runs may be padded.</param>
    public KernelRuns(int width, int dilation, int channels, bool mayPad)
    {
        (Elements, Channels) = (dilation == 1 ? width : 1, channels);
        Length = checked(Elements * channels);
        int padded = checked((Length + PackedWeights.GroupDepth - 1) / PackedWeights.GroupDepth * PackedWeights.GroupDepth);
        Depth = mayPad && padded <= MostTimesDeeper * Length ? padded : Length;
    }

    /// <summary>Elements of the kernel in a run.</summary>
    public int Elements { get; }

    /// <summary>Channels of an element.</summary>
    public int Channels { get; }

    /// <summary>Codes of a run.</summary>
    public int Length { get; }

    /// <summary>From one run to the next in the depth of the product.</summary>
    public int Depth { get; }

    /// <summary>The place in the depth of a channel of an element of the kernel, counted row by row.</summary>
    public int Index(int element, int channel)
    {
        (int run, int within) = Math.DivRem(element, Elements);
        return run * Depth + within * Channels + channel;
    }
}
