namespace TorchQuant.Kernels;

/// <summary>
/// The geometry of a convolution in one, two or three dimensions, as PyTorch's Conv1d, Conv2d and Conv3d define it. Immutable and valid: the constructor refuses
/// what no convolution can be. Two shapes are equal if their numbers are.
/// </summary>
public sealed record ConvolutionShape
{
    internal const int MostDimensions = 3;

    private readonly int[] _kernel, _stride, _paddingBegin, _paddingEnd, _dilation;

    /// <summary>Creates a shape. Arrays have one number for each spatial dimension, in the order (depth, height, width) as far as there are such.</summary>
    /// <param name="inChannels">Channels of the input, a multiple of <paramref name="groups"/>.</param>
    /// <param name="outChannels">Channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The kernel's size; its length, 1 to 3, is the number of dimensions.</param>
    /// <param name="stride">Input positions from one output to the next; empty for 1.</param>
    /// <param name="paddingBegin">Positions added before the input; empty for none.</param>
    /// <param name="paddingEnd">Positions added after the input; empty for as many as before it.</param>
    /// <param name="dilation">Input positions from one element of the kernel to the next; empty for 1.</param>
    /// <param name="groups">Into how many independent convolutions the channels are divided.</param>
    /// <param name="paddingMode">What is at the added positions.</param>
    /// <exception cref="ArgumentException">A length or number makes no convolution; the message says which and what was expected.</exception>
    public ConvolutionShape(
        int inChannels,
        int outChannels,
        ReadOnlySpan<int> kernel,
        ReadOnlySpan<int> stride = default,
        ReadOnlySpan<int> paddingBegin = default,
        ReadOnlySpan<int> paddingEnd = default,
        ReadOnlySpan<int> dilation = default,
        int groups = 1,
        PaddingMode paddingMode = PaddingMode.Zeros)
    {
        if (kernel.Length is < 1 or > MostDimensions)
            throw new ArgumentException($"kernel has {kernel.Length} elements; expected 1 to {MostDimensions}, one for each spatial dimension.", nameof(kernel));
        AreChannels(inChannels, groups, nameof(inChannels));
        AreChannels(outChannels, groups, nameof(outChannels));
        Argument.IsDefined(paddingMode, nameof(paddingMode));
        (InChannels, OutChannels, Groups, PaddingMode) = (inChannels, outChannels, groups, paddingMode);
        _kernel = PerDimension(kernel, kernel.Length, 1, 1, nameof(kernel));
        _stride = PerDimension(stride, kernel.Length, 1, 1, nameof(stride));
        _dilation = PerDimension(dilation, kernel.Length, 1, 1, nameof(dilation));
        _paddingBegin = PerDimension(paddingBegin, kernel.Length, 0, 0, nameof(paddingBegin));
        _paddingEnd = paddingEnd.IsEmpty ? _paddingBegin : PerDimension(paddingEnd, kernel.Length, 0, 0, nameof(paddingEnd));
        KernelSize = Product(_kernel, nameof(kernel));
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

    /// <summary>Input positions from one output to the next, in each dimension.</summary>
    public ReadOnlySpan<int> Stride => _stride;

    /// <summary>Positions added before the input, in each dimension.</summary>
    public ReadOnlySpan<int> PaddingBegin => _paddingBegin;

    /// <summary>Positions added after the input, in each dimension.</summary>
    public ReadOnlySpan<int> PaddingEnd => _paddingEnd;

    /// <summary>Input positions from one element of the kernel to the next, in each dimension.</summary>
    public ReadOnlySpan<int> Dilation => _dilation;

    /// <summary>What is at the added positions.</summary>
    public PaddingMode PaddingMode { get; }

    /// <summary>Whether there are groups, each of one input channel.</summary>
    internal bool IsDepthwise => Groups > 1 && Groups == InChannels;

    /// <summary>Whether every output sees the one input position that has its place, so that the input is the left side of a matrix product as it is.</summary>
    internal bool IsPointwise => KernelSize == 1 && !Stride.ContainsAnyExcept(1) && !PaddingBegin.ContainsAnyExcept(0) && !PaddingEnd.ContainsAnyExcept(0);

    /// <summary>Elements of the kernel: the product over the dimensions.</summary>
    internal int KernelSize { get; }

    /// <summary>The output's size: (input + paddingBegin + paddingEnd - dilation * (kernel - 1) - 1) / stride + 1 in each dimension, rounded down.</summary>
    /// <param name="inputSize">The input's size in each dimension.</param>
    /// <returns>As many numbers.</returns>
    /// <exception cref="ArgumentException">Another number of dimensions, or an input that is smaller than the kernel or than what its padding repeats.</exception>
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
            CheckPadding(inputSize, d);
            long padded = (long)inputSize[d] + _paddingBegin[d] + _paddingEnd[d];
            long reach = (long)_dilation[d] * (_kernel[d] - 1) + 1;
            if (padded > int.MaxValue)
                throw new ArgumentException($"inputSize[{d}] is {inputSize[d]}, with padding {padded}; expected at most {int.MaxValue}.", nameof(inputSize));
            if (padded < reach)
                throw new ArgumentException($"inputSize[{d}] is {inputSize[d]}, with padding {padded}; expected at least {reach}, what a kernel of {_kernel[d]} with dilation {_dilation[d]} covers.", nameof(inputSize));
            size[d] = (int)((padded - reach) / _stride[d]) + 1;
        }
    }

    /// <summary>Whether all numbers are the same.</summary>
    /// <param name="other">The other shape.</param>
    public bool Equals(ConvolutionShape? other) =>
        other is not null && (InChannels, OutChannels, Groups, PaddingMode) == (other.InChannels, other.OutChannels, other.Groups, other.PaddingMode)
        && Kernel.SequenceEqual(other.Kernel) && Stride.SequenceEqual(other.Stride) && Dilation.SequenceEqual(other.Dilation)
        && PaddingBegin.SequenceEqual(other.PaddingBegin) && PaddingEnd.SequenceEqual(other.PaddingEnd);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(InChannels, OutChannels, Groups, PaddingMode, _kernel[0], _kernel[^1], _stride[0], _paddingBegin[0]);

    /// <summary>The shape in PyTorch's words.</summary>
    public override string ToString() =>
        $"{InChannels} -> {OutChannels}, kernel {Text(_kernel)}, stride {Text(_stride)}, padding {Text(_paddingBegin)}{(_paddingBegin.AsSpan().SequenceEqual(_paddingEnd) ? "" : $" and {Text(_paddingEnd)}")} "
        + $"{PaddingMode}, dilation {Text(_dilation)}, groups {Groups}";

    internal static void AreChannels(int channels, int groups, string name)
    {
        Argument.IsAtLeast(groups, 1, nameof(groups));
        Argument.IsAtLeast(channels, 1, name);
        if (channels % groups != 0)
            throw new ArgumentException($"{name} is {channels}; expected a multiple of the {groups} groups.", name);
    }

    /// <summary>A copy of numbers for each dimension, or the default for all if none are given.</summary>
    internal static int[] PerDimension(ReadOnlySpan<int> numbers, int dimensions, int smallest, int otherwise, string name)
    {
        int[] copy = new int[dimensions];
        Array.Fill(copy, otherwise);
        if (numbers.IsEmpty)
            return copy;
        Argument.HasLength(numbers.Length, dimensions, name, "one for each spatial dimension");
        for (int d = 0; d < dimensions; d++)
            Argument.IsAtLeast(numbers[d], smallest, $"{name}[{d}]");
        numbers.CopyTo(copy);
        return copy;
    }

    internal static int Product(int[] kernel, string name)
    {
        long product = 1;
        foreach (int size in kernel)
            product = Math.Min(product * size, int.MaxValue);
        return product < int.MaxValue ? (int)product : throw new ArgumentException($"{name} is {Text(kernel)}; expected fewer than {int.MaxValue} elements.", name);
    }

    internal static string Text(int[] numbers) => $"({string.Join(", ", numbers)})";

    private void CheckPadding(ReadOnlySpan<int> inputSize, int d)
    {
        // A mirror has no elements beyond the far border, and a circle none beyond its whole length.
        int size = inputSize[d], most = PaddingMode switch { PaddingMode.Reflect => size - 1, PaddingMode.Circular => size, _ => int.MaxValue };
        int padding = Math.Max(_paddingBegin[d], _paddingEnd[d]);
        if (padding > most)
            throw new ArgumentException($"The padding of dimension {d} is {padding} in mode {PaddingMode}; expected at most {most} for an input of size {size}.", nameof(inputSize));
    }
}
