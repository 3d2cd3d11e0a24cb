namespace TorchQuant.Kernels;

/// <summary>A piece of one or more output rows below each other that is computed from the same part of the input.</summary>
internal struct OutputPiece
{
    public int Image;
    public int Depth;

    /// <summary>The first output row.</summary>
    public int Height;

    /// <summary>How many output rows.</summary>
    public int Count;

    /// <summary>The first output of each row.</summary>
    public int Width;

    /// <summary>How many outputs of each row.</summary>
    public int Length;

    /// <summary>For depthwise kernels: rows of the input, or elements of the kernel's columns, that lie next to each other in the columns.</summary>
    public readonly int Elements(in Window window) =>
        Count == 1 ? window.Depth.Kernel * window.Height.Kernel : window.Height.Kernel + (Count - 1) * window.Height.Stride;
}
