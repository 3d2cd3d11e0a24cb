using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// Which generated code computes a depthwise kernel. Small ones: <see cref="DepthwiseCode"/>, whose columns stay in registers. Others: <see cref="DepthwiseColumnsCode"/> and
/// <see cref="DepthwiseOutputsCode"/>, whose unpacked columns stay in the L1 cache. What a kernel's column leaves of its groups of four holds the next rows, so that the same columns serve
/// several output rows: two for a kernel of 3 or 7, four for one of 5.
/// </summary>
internal readonly struct DepthwiseForm
{
    /// <summary>Input that an output may see, unpacked as many bytes: a part of the L2 cache.</summary>
    private const int MostSeen = 96 * 1024 / DepthwiseCode.Channels;

    public DepthwiseForm(in Window window)
    {
        ref readonly WindowDimension high = ref window.Height, wide = ref window.Width;
        int kernel = high.Kernel, depth = PackedWeights.GroupDepth;
        bool areRowsNeighbours = high.Dilation == 1 || kernel == 1;
        Groups = (kernel + depth - 1) / depth;
        KeepsColumns = Groups == 1 && areRowsNeighbours && wide.Kernel <= DepthwiseCode.Taps && wide.Stride <= DepthwiseCode.MaxStride && (wide.Dilation == 1 || wide.Kernel == 1);
        Taps = KeepsColumns ? DepthwiseCode.Taps : wide.Kernel;
        RowsTogether = Math.Min(high.Output, areRowsNeighbours ? (Groups * depth - kernel) / high.Stride + 1 : 1);
        if (KeepsColumns)
            RowsTogether = Math.Min(RowsTogether, DepthwiseCode.MaxRows);
        (Down, RowStep) = (high.Stride, areRowsNeighbours ? 1 : high.Dilation);
        WeightsRow = checked(Taps * Groups * DepthwiseTerms.GroupWeights);
    }

    /// <summary>Whether this is the code for a window: not for huge ones, and not where most columns of the input are skipped.</summary>
    public static bool Fits(in Window window)
    {
        ref readonly WindowDimension high = ref window.Height, wide = ref window.Width;
        long rows = (high.Kernel - 1L) * high.Dilation + PackedWeights.GroupDepth, columns = (wide.Kernel - 1L) * wide.Dilation + 1;
        return rows <= MostSeen && columns <= MostSeen && rows * columns <= MostSeen && wide.Stride <= Math.Max(columns, DepthwiseCode.MaxStride);
    }

    /// <summary>Whether the columns that an output sees stay in registers.</summary>
    public bool KeepsColumns { get; }

    /// <summary>Groups of four elements in a column of the kernel.</summary>
    public int Groups { get; }

    /// <summary>Columns of the kernel as the code has them: a narrow one has some with weights of 0.</summary>
    public int Taps { get; }

    /// <summary>Output rows that are computed from the same columns.</summary>
    public int RowsTogether { get; }

    /// <summary>Bytes of the weights of each of them.</summary>
    public int WeightsRow { get; }

    /// <summary>Rows of the input from one element of a column to the next.</summary>
    public int RowStep { get; }

    /// <summary>Elements of a column from one of these rows to the next.</summary>
    public int Down { get; }
}
