namespace TorchQuant;

/// <summary>How scale and zero point follow from an observed range; PyTorch's names (<c>torch.per_tensor_affine</c>).</summary>
public enum qscheme
{
    /// <summary>One scale and one zero point; the range, widened to hold zero, fills the codes.</summary>
    per_tensor_affine,

    /// <summary>One scale; zero is the middle code.</summary>
    per_tensor_symmetric,

    /// <summary>As <see cref="per_tensor_affine"/>, for each index of one axis.</summary>
    per_channel_affine,

    /// <summary>As <see cref="per_tensor_symmetric"/>, for each index of one axis.</summary>
    per_channel_symmetric,

    /// <summary>Per channel with the exact range and a zero point that is a float: embeddings.</summary>
    per_channel_affine_float_qparams,
}
