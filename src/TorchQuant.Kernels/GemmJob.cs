namespace TorchQuant.Kernels;

/// <summary>What becomes of the int32 sums of a multiplication.</summary>
internal enum GemmOutput
{
    /// <summary>They are stored, corrected for the zero points.</summary>
    Int32,

    /// <summary>They become float: fma(float(sum), sx * sw, bias).</summary>
    Float,

    /// <summary>They are requantized to uint8.</summary>
    Byte,
}

/// <summary>One multiplication as the driver and the epilogue see it. All pointers are pinned by the caller for as long as it runs.</summary>
internal unsafe struct GemmJob
{
    /// <summary>Weights that one thread reads from beyond its second level of the cache, if they are more.</summary>
    private const int StreamedBytes = 1_250_000;

    public GemmJob(PackedWeights weights, byte* a, nint stride, int m, QParams activation)
    {
        SetWeights(weights);
        A = a;
        Stride = stride;
        M = m;
        OutputStride = N;
        Activation = activation;
    }

    /// <summary>Activation codes: M rows, <see cref="Stride"/> bytes apart, each readable up to a multiple of four.</summary>
    public byte* A;
    public nint Stride;
    public int M;
    public int N;
    public int K;

    /// <summary>K in groups of four, rounded up.</summary>
    public int Groups;
    public sbyte* Panels;
    public float* ColumnScales;
    public int* ColumnSums;

    /// <summary>Whether all columns have one scale.</summary>
    public bool IsPerTensor;

    /// <summary>Null if all are 0.</summary>
    public int* ColumnZeroPoints;

    /// <summary>The sum of the codes of each row of A, as the kernel sees them (<see cref="Isa.RowSum"/>); needed only where the weights have zero points.</summary>
    public int* RowSums;
    public QParams Activation;

    public GemmOutput Kind;

    /// <summary>M rows of N numbers of the kind's type.</summary>
    public void* Output;

    /// <summary>Numbers from one row of the output to the next: N, unless these are a part of wider rows.</summary>
    public nint OutputStride;

    /// <summary>N numbers, or null.</summary>
    public float* Bias;

    /// <summary>For results in float.</summary>
    public bool Relu;
    public bool Accumulate;

    /// <summary>Whether the weights that one thread reads are more than its second level of the cache holds.</summary>
    public bool IsStreaming;

    /// <summary>Whether a few rows go through the panels from the last to the first: see <see cref="PackedWeights.TakeTurn"/>.</summary>
    public bool IsBackwards;

    /// <summary>For results in uint8.</summary>
    public FusedActivation Fused;
    public QParams Requantized;

    /// <summary>What is added to the codes before they are stored.</summary>
    public ResidualSum Residual;

    /// <summary>Sets <see cref="IsStreaming"/>.</summary>
    public void SetStreaming(int threads) =>
        IsStreaming = (long)((N + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns) * Groups * PackedWeights.GroupBytes / threads > StreamedBytes;

    /// <summary>What one core needs, roughly: 200 multiply-adds or 100 bytes of weights a nanosecond, whichever takes longer.</summary>
    public readonly long EstimateNanoseconds() => EstimateNanoseconds((long)N * Groups * PackedWeights.GroupDepth, M);

    /// <summary>The same for so many weights and rows.</summary>
    public static long EstimateNanoseconds(long weights, int rows) => Math.Max(weights * rows / 200, weights / 100);

    /// <summary>The activations as a kernel sees them that subtracts an offset from each.</summary>
    public void SubtractFromActivations(int offset) => Activation = Activation with { ZeroPoint = Activation.ZeroPoint - offset };

    /// <summary>Points to packed weights, which the caller keeps alive.</summary>
    public void SetWeights(PackedWeights weights)
    {
        N = weights.OutFeatures;
        K = weights.InFeatures;
        Groups = weights.GroupCount;
        Panels = weights.Panels;
        ColumnScales = weights.ColumnScales;
        ColumnSums = weights.ColumnSums;
        IsPerTensor = weights.Scales.Length == 1;
        ColumnZeroPoints = weights.IsSymmetric ? null : weights.ColumnZeroPoints;
    }
}
