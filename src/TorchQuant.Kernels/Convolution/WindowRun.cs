namespace TorchQuant.Kernels;

/// <summary>Outputs that lie next to each other in one row of the output: what blocks of outputs are made of.</summary>
internal struct WindowRun
{
    public int Image;
    public int Depth;
    public int Height;

    /// <summary>The first output along the width.</summary>
    public int Width;

    /// <summary>How many outputs.</summary>
    public int Count;

    /// <summary>The run that begins with an output, counted over all images, and ends with the row or after <paramref name="most"/> outputs.</summary>
    public static WindowRun At(in Window window, int output, int most)
    {
        (int row, int width) = Math.DivRem(output, window.Width.Output);
        (row, int height) = Math.DivRem(row, window.Height.Output);
        (int image, int depth) = Math.DivRem(row, window.Depth.Output);
        return new WindowRun { Image = image, Depth = depth, Height = height, Width = width, Count = Math.Min(most, window.Width.Output - width) };
    }
}
