namespace TorchQuant.Kernels;

/// <summary>
/// Where the weights of a convolution lie in the product that computes it. For a matrix product: kernel elements outside, channels inside, as the activations are
/// gathered, row by row (<see cref="KernelRuns"/>). For a depthwise kernel: the columns of the kernel, in each its elements in groups of four.
/// </summary>
internal readonly struct WeightPlaces
{
    private readonly GroupParts _parts;
    private readonly KernelRuns _runs;
    private readonly bool _isDepthwise;
    private readonly int _width, _groups;

    public WeightPlaces(ConvolutionShape shape)
    {
        _isDepthwise = shape.IsDepthwise;
        _parts = new GroupParts(shape.InChannels, shape.OutChannels, shape.Groups);
        _width = shape.Kernel[^1];
        _runs = new KernelRuns(_width, shape.Dilation[^1], _parts.PartInputs, mayPad: true);
        _groups = (shape.KernelSize / _width + PackedWeights.GroupDepth - 1) / PackedWeights.GroupDepth;
        (Parts, PartOutputs) = _isDepthwise ? (1, shape.OutChannels) : (_parts.Count, _parts.PartOutputs);
        Features = checked(_isDepthwise ? _width * _groups * PackedWeights.GroupDepth : shape.KernelSize / _runs.Elements * _runs.Depth);
    }

    /// <summary>Number of products.</summary>
    public int Parts { get; }

    /// <summary>Output channels of each.</summary>
    public int PartOutputs { get; }

    /// <summary>Depth of each.</summary>
    public int Features { get; }

    /// <summary>The place in the depth of the weight of an output, an input channel of its group and an element of the kernel, counted row by row.</summary>
    public int Index(int output, int input, int element) => _isDepthwise
        ? element % _width * _groups * PackedWeights.GroupDepth + element / _width
        : _runs.Index(element, _parts.PartInput(output, input));
}
