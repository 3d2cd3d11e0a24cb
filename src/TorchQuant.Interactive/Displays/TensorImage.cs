using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>A tensor as an image.</summary>
internal static class TensorImage
{
    /// <exception cref="ArgumentException">The tensor has no image's shape or type, or floats outside [0, 1].</exception>
    public static GridImage Of(Tensor image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var shape = string.Join(" × ", image.shape);
        if (image.dim() is not (2 or 3) || (image.dim() == 3 && image.shape[0] is not (1 or 3)) || image.numel() == 0)
            throw new ArgumentException($"A tensor of shape {shape} is no image; pass height × width, 1 × height × width (grey) or 3 × height × width (RGB), one image at a time.", nameof(image));
        if (image.dtype != ScalarType.Byte && !image.is_floating_point())
            throw new ArgumentException($"An image is of bytes, or of floats from 0 to 1, not of {image.dtype}.", nameof(image));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pixels = image.detach().cpu();
        if (pixels.is_floating_point())
        {
            var numbers = pixels.to(ScalarType.Float64);
            double least = numbers.min().item<double>(), greatest = numbers.max().item<double>();
            if (!(least >= 0 && greatest <= 1))
                throw new ArgumentException($"An image of floats goes from 0 to 1, but this one from {least:g4} to {greatest:g4}; undo its normalization before it is shown.", nameof(image));
            pixels = (numbers * 255).round().to(ScalarType.Byte);
        }
        // Rows of pixels, a pixel's channels together.
        if (pixels.dim() == 3) pixels = pixels.permute(1, 2, 0);
        return new GridImage((int)pixels.shape[1], (int)pixels.shape[0], pixels.contiguous().data<byte>().ToArray());
    }
}
