namespace TorchQuant.Kernels;

/// <summary>What a convolution sees beyond the borders of its input; PyTorch's padding_mode.</summary>
public enum PaddingMode
{
    /// <summary>Real zero: the input's zero point. <c>0 0 | a b c d | 0 0</c></summary>
    Zeros,

    /// <summary>The input mirrored at its border elements, which are not repeated: <c>c b | a b c d | c b</c></summary>
    Reflect,

    /// <summary>The border elements: <c>a a | a b c d | d d</c></summary>
    Replicate,

    /// <summary>The input again from its other end: <c>c d | a b c d | a b</c></summary>
    Circular,
}
