namespace TorchQuant.Kernels;

/// <summary>
/// The geometry of a transposed convolution in one, two or three dimensions, as PyTorch's ConvTranspose1d, ConvTranspose2d and ConvTranspose3d define it: input
/// position i adds to the outputs i * stride + k * dilation - padding. Immutable and valid. Two shapes are equal if their numbers are.
/// </summary>
public sealed record ConvTransposeShape
{
    private readonly int[] _kernel, _stride, _padding, _outputPadding, _dilation;

    /// <summary>Creates a shape. Arrays have one number for each spatial dimension, in the order (depth, height, width) as far as there are such.</summary>
    /// <param name="inChannels">Channels of the input, a multiple of <paramref name="groups"/>.</param>
    /// <param name="outChannels">Channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The kernel's size; its length, 1 to 3, is the number of dimensions.</param>
    /// <param name="stride">Output positions from one input to the next; empty for 1.</param>
    /// <param name="padding">Positions cut from both ends of the output; empty for none.</param>
    /// <param name="outputPadding">Positions added to the end of the output, fewer than the stride or the dilation; empty for none.</param>
    /// <param name="dilation">Output positions from one element of the kernel to the next; empty for 1.</param>
    /// <param name="groups">Into how many independent convolutions the channels are divided.</param>
    /// <exception cref="ArgumentException">A length or number makes no convolution; the message says which and what was expected.</exception>
    public ConvTransposeShape(
        int inChannels,
        int outChannels,
        ReadOnlySpan<int> kernel,
        ReadOnlySpan<int> stride = default,
        ReadOnlySpan<int> padding = default,
        ReadOnlySpan<int> outputPadding = default,
        ReadOnlySpan<int> dilation = default,
        int groups = 1)
    {
        if (kernel.Length is < 1 or > ConvolutionShape.MostDimensions)
            throw new ArgumentException($"kernel has {kernel.Length} elements; expected 1 to {ConvolutionShape.MostDimensions}, one for each spatial dimension.", nameof(kernel));
        ConvolutionShape.AreChannels(inChannels, groups, nameof(inChannels));
        ConvolutionShape.AreChannels(outChannels, groups, nameof(outChannels));
        (InChannels, OutChannels, Groups) = (inChannels, outChannels, groups);
        _kernel = ConvolutionShape.PerDimension(kernel, kernel.Length, 1, 1, nameof(kernel));
        _stride = ConvolutionShape.PerDimension(stride, kernel.Length, 1, 1, nameof(stride));
        _dilation = ConvolutionShape.PerDimension(dilation, kernel.Length, 1, 1, nameof(dilation));
        _padding = ConvolutionShape.PerDimension(padding, kernel.Length, 0, 0, nameof(padding));
        _outputPadding = ConvolutionShape.PerDimension(outputPadding, kernel.Length, 0, 0, nameof(outputPadding));
        for (int d = 0; d < kernel.Length; d++)
        {
            int limit = Math.Max(_stride[d], _dilation[d]);
            if (_outputPadding[d] >= limit)
                throw new ArgumentException($"outputPadding[{d}] is {_outputPadding[d]}; expected less than {limit}, the larger of stride and dilation.", nameof(outputPadding));
        }

        KernelSize = ConvolutionShape.Product(_kernel, nameof(kernel));
        Phases = ConvolutionShape.Product(_stride, nameof(stride));
    }

    /// <summary>Spatial dimensions: 1, 2 or 3.</summary>
    public int Dimensions => _kernel.Length;

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; }

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; }

    /// <summary>Independent convolutions: output channel o sees the input channels of group o / (OutChannels / Groups).</summary>
    public int Groups { get; }

    /// <summary>The kernel's size in each dimension.</summary>
    public ReadOnlySpan<int> Kernel => _kernel;

    /// <summary>Output positions from one input to the next, in each dimension.</summary>
    public ReadOnlySpan<int> Stride => _stride;

    /// <summary>Positions cut from both ends of the output, in each dimension.</summary>
    public ReadOnlySpan<int> Padding => _padding;

    /// <summary>Positions added to the end of the output, in each dimension.</summary>
    public ReadOnlySpan<int> OutputPadding => _outputPadding;

    /// <summary>Output positions from one element of the kernel to the next, in each dimension.</summary>
    public ReadOnlySpan<int> Dilation => _dilation;

    /// <summary>Elements of the kernel: the product over the dimensions.</summary>
    internal int KernelSize { get; }

    /// <summary>Outputs that see different elements of the kernel: the product of the strides.</summary>
    internal int Phases { get; }

    /// <summary>The output's size: (input - 1) * stride - 2 * padding + dilation * (kernel - 1) + outputPadding + 1 in each dimension.</summary>
    /// <param name="inputSize">The input's size in each dimension.</param>
    /// <returns>As many numbers.</returns>
    /// <exception cref="ArgumentException">Another number of dimensions, or an input that gives no output.</exception>
    public int[] OutputSize(ReadOnlySpan<int> inputSize)
    {
        int[] size = new int[Dimensions];
        OutputSize(inputSize, size);
        return size;
    }

    internal void OutputSize(ReadOnlySpan<int> inputSize, Span<int> size)
    {
        Argument.HasLength(inputSize.Length, Dimensions, nameof(inputSize), "one for each spatial dimension of the convolution");
        for (int d = 0; d < Dimensions; d++)
        {
            if (inputSize[d] < 1)
                throw new ArgumentException($"inputSize[{d}] is {inputSize[d]}; expected at least 1.", nameof(inputSize));
            long whole = (inputSize[d] - 1L) * _stride[d] + (long)_dilation[d] * (_kernel[d] - 1) + _outputPadding[d] + 1;
            long cut = whole - 2L * _padding[d];
            if (cut < 1 || whole > int.MaxValue)
                throw new ArgumentException($"inputSize[{d}] is {inputSize[d]}, which gives an output of {whole} - 2 * {_padding[d]}; expected 1 to {int.MaxValue}.", nameof(inputSize));
            size[d] = (int)cut;
        }
    }

    /// <summary>Whether all numbers are the same.</summary>
    /// <param name="other">The other shape.</param>
    public bool Equals(ConvTransposeShape? other) =>
        other is not null && (InChannels, OutChannels, Groups) == (other.InChannels, other.OutChannels, other.Groups)
        && Kernel.SequenceEqual(other.Kernel) && Stride.SequenceEqual(other.Stride) && Dilation.SequenceEqual(other.Dilation)
        && Padding.SequenceEqual(other.Padding) && OutputPadding.SequenceEqual(other.OutputPadding);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(InChannels, OutChannels, Groups, _kernel[0], _kernel[^1], _stride[0], _padding[0], _outputPadding[0]);

    /// <summary>The shape in PyTorch's words.</summary>
    public override string ToString() =>
        $"{InChannels} -> {OutChannels}, transposed, kernel {ConvolutionShape.Text(_kernel)}, stride {ConvolutionShape.Text(_stride)}, padding {ConvolutionShape.Text(_padding)}, "
        + $"output padding {ConvolutionShape.Text(_outputPadding)}, dilation {ConvolutionShape.Text(_dilation)}, groups {Groups}";
}
