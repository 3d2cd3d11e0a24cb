namespace TorchQuant.Kernels;

/// <summary>How an embedding bag combines the rows of a bag.</summary>
public enum EmbeddingBagMode
{
    /// <summary>Their sum, each times its weight where weights are given.</summary>
    Sum,

    /// <summary>Their sum divided by their number; padding does not count.</summary>
    Mean,

    /// <summary>The largest value of each column.</summary>
    Max,
}
