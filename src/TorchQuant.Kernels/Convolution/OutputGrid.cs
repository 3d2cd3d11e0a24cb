namespace TorchQuant.Kernels;

/// <summary>
/// The places of a window's outputs in a larger image: output j of a dimension is at Start + j * Step. A transposed convolution computes its output as such grids, one
/// for each phase of its stride. Unset where the outputs fill the image in order.
/// </summary>
internal struct OutputGrid
{
    public GridDimension Depth;
    public GridDimension Height;
    public GridDimension Width;

    /// <summary>Whether the outputs have places of their own.</summary>
    public bool IsSet;

    /// <summary>The position, counted over all images, of the first output of a run; the next ones are Width.Step apart.</summary>
    public readonly long Position(in WindowRun run) =>
        (((long)run.Image * Depth.Size + Depth.At(run.Depth)) * Height.Size + Height.At(run.Height)) * Width.Size + Width.At(run.Width);

    public void Set(int dimension, GridDimension value)
    {
        switch (dimension)
        {
            case 0: Depth = value; break;
            case 1: Height = value; break;
            default: Width = value; break;
        }
    }
}

/// <summary>One dimension of a grid within an image of <see cref="Size"/>.</summary>
internal struct GridDimension
{
    public int Size;
    public int Start;
    public int Step;

    public readonly int At(int output) => Start + output * Step;
}
