namespace TorchQuant.Kernels;

/// <summary>One multiplication with float16 weights as the kernels see it. All pointers are pinned by the caller for as long as it runs.</summary>
internal unsafe struct HalfJob(HalfPanels panels)
{
    /// <summary>[M, K].</summary>
    public float* X;
    public int M;
    public readonly int N = panels.OutFeatures;
    public readonly nint K = panels.InFeatures;
    public readonly uint* Panels = panels.Words;
    public readonly int PanelCount = panels.Count;

    /// <summary>[M, N].</summary>
    public float* Output;

    /// <summary>N numbers, or null.</summary>
    public float* Bias;
    public bool Relu;
    public bool Accumulate;

    /// <summary>What one core needs, roughly.</summary>
    public readonly long EstimateNanoseconds() => EstimateNanoseconds(N * (long)K, M);

    /// <summary>The same for so many weights and rows: about 40 GB/s of weights, and 50 multiply-adds a nanosecond.</summary>
    public static long EstimateNanoseconds(long weights, int rows) => weights / 20 + weights * rows / 50;
}

/// <summary>A multiplication at some vector width.</summary>
internal readonly struct HalfWork(HalfJob job, int threads) : ILaneWork
{
    /// <inheritdoc/>
    public void Run<TLanes, TFloat, TInt>() where TLanes : struct, ILanes<TFloat, TInt> => HalfDriver<TLanes, TFloat, TInt>.Run(job, threads);
}
