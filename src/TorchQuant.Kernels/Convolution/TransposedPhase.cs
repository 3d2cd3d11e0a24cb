namespace TorchQuant.Kernels;

/// <summary>
/// One phase of a transposed convolution in one dimension. Output o and element k of the kernel meet where o + padding - k * dilation is a multiple of the stride; which
/// elements those are depends on (o + padding) mod stride alone, the phase. Within a phase neighbouring outputs see neighbouring inputs: an ordinary convolution with
/// stride 1 on some of the kernel's elements, last first. Every element belongs to one phase.
/// </summary>
internal readonly struct TransposedPhase
{
    private readonly int _stride, _dilation, _padding, _phase, _first, _elementStep, _inputStep;

    public TransposedPhase(ConvTransposeShape shape, int dimension, int phase)
    {
        (_stride, _dilation, _padding, _phase) = (shape.Stride[dimension], shape.Dilation[dimension], shape.Padding[dimension], phase);
        int common = (int)System.Numerics.BigInteger.GreatestCommonDivisor(_stride, _dilation), kernel = shape.Kernel[dimension];
        (_elementStep, _inputStep) = (_stride / common, _dilation / common);
        _first = 0;
        while (_first < Math.Min(kernel, _elementStep) && (long)_first * _dilation % _stride != phase)
            _first++;
        Elements = _first < Math.Min(kernel, _elementStep) ? (kernel - 1 - _first) / _elementStep + 1 : 0;
    }

    /// <summary>Elements of the kernel in this phase; there may be none.</summary>
    public int Elements { get; }

    /// <summary>The element of the kernel that is number <paramref name="index"/> here.</summary>
    public int Element(int index) => _first + (Elements - 1 - index) * _elementStep;

    /// <summary>Where the outputs of this phase are.</summary>
    public GridDimension Outputs(int outputSize) => new() { Size = outputSize, Start = FirstOutput, Step = _stride };

    /// <summary>The convolution that computes them. Without elements, one that sees nothing but what is beyond the input.</summary>
    public WindowDimension Window(int inputSize, int outputSize)
    {
        int outputs = FirstOutput < outputSize ? (outputSize - 1 - FirstOutput) / _stride + 1 : 0;
        long offset = Elements == 0 ? inputSize : ((long)FirstOutput + _padding - (long)Element(0) * _dilation) / _stride;
        return new WindowDimension { Input = inputSize, Output = outputs, Kernel = Math.Max(Elements, 1), Stride = 1, Dilation = _inputStep, Offset = (int)offset };
    }

    /// <summary>The smallest o that is not negative and has (o + padding) mod stride = phase.</summary>
    private int FirstOutput => (int)((_phase - _padding % _stride + (long)_stride) % _stride);
}
