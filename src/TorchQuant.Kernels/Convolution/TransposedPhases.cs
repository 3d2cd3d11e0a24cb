namespace TorchQuant.Kernels;

/// <summary>One phase in each of the three dimensions; a dimension that is not there has one phase with one element.</summary>
internal readonly struct TransposedPhases
{
    private readonly TransposedPhase _depth, _height, _width;
    private readonly int _dimensions;

    /// <summary>Phase number <paramref name="phase"/> of a shape's <see cref="ConvTransposeShape.Phases"/>.</summary>
    public TransposedPhases(ConvTransposeShape shape, int phase)
    {
        _dimensions = shape.Dimensions;
        for (int d = shape.Dimensions - 1; d >= 0; d--)
        {
            (phase, int own) = Math.DivRem(phase, shape.Stride[d]);
            var one = new TransposedPhase(shape, d, own);
            switch (d + ConvolutionShape.MostDimensions - shape.Dimensions)
            {
                case 0: _depth = one; break;
                case 1: _height = one; break;
                default: _width = one; break;
            }
        }
    }

    /// <summary>Elements of the kernel in this phase; there may be none.</summary>
    public int Elements => _width.Elements * (_dimensions > 1 ? _height.Elements : 1) * (_dimensions > 2 ? _depth.Elements : 1);

    /// <summary>The element of the kernel, counted row by row, that is number <paramref name="index"/> of this phase.</summary>
    public int Element(int index, ReadOnlySpan<int> kernel)
    {
        (index, int width) = Math.DivRem(index, _width.Elements);
        int element = _width.Element(width);
        if (_dimensions == 1)
            return element;
        (index, int height) = Math.DivRem(index, _height.Elements);
        element += _height.Element(height) * kernel[^1];
        return _dimensions == 2 ? element : element + _depth.Element(index) * kernel[^1] * kernel[^2];
    }

    /// <summary>Sets what an image of these sizes makes of the phase.</summary>
    public void Place(ReadOnlySpan<int> inputSize, ReadOnlySpan<int> outputSize, out Window window, out OutputGrid grid)
    {
        window = new Window { Mode = PaddingMode.Zeros };
        grid = new OutputGrid { IsSet = true };
        for (int d = 0; d < ConvolutionShape.MostDimensions; d++)
        {
            int given = d - (ConvolutionShape.MostDimensions - _dimensions);
            TransposedPhase phase = d switch { 0 => _depth, 1 => _height, _ => _width };
            WindowDimension dimension = given < 0 ? WindowDimension.None : phase.Window(inputSize[given], outputSize[given]);
            // One dimension without elements is enough for there to be none; the window then looks at one place, beyond the input.
            if (Elements == 0)
                dimension.Kernel = 1;
            window.Set(d, dimension);
            grid.Set(d, given < 0 ? new GridDimension { Size = 1, Step = 1 } : phase.Outputs(outputSize[given]));
        }
    }
}
