using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// torchvision's <c>transforms._presets.ImageClassification</c>, which its ImageNet weights expect: the shorter side resized to <c>resize_size</c> (bilinear, antialiased), the centre cropped to
/// <c>crop_size</c>, values scaled to [0, 1], then (value - mean) / std. The resized image is rounded to bytes, as Pillow does.
/// </summary>
public sealed class ImageClassification
{
    private const int Levels = 256, Channels = 3;

    // Of 65536, of red, green and blue: ITU-R BT.601's luma as Pillow rounds it.
    private static readonly int[] s_luma = [19595, 38470, 7471];

    private readonly int _crop, _resize;
    private readonly bool _grayscale;

    // What becomes of each byte, for each channel.
    private readonly float[][] _levels;

    /// <summary>The transform. Without arguments that of ResNet-18's, ResNet-50's and MobileNetV2's weights <c>IMAGENET1K_V1</c>.</summary>
    /// <param name="crop_size">Height and width that come out.</param>
    /// <param name="resize_size">The shorter side before the crop, at least <paramref name="crop_size"/>; torchvision's weights <c>IMAGENET1K_V2</c> have 232.</param>
    /// <param name="mean">Subtracted, for each channel; null is that of ImageNet.</param>
    /// <param name="std">Divided by; null is that of ImageNet.</param>
    /// <param name="grayscale">Whether to make one channel of three (luma), for models with <c>in_channels: 1</c>; <paramref name="mean"/> and <paramref name="std"/> then have one value.</param>
    /// <exception cref="ArgumentException">A size or deviation that is not positive, a crop larger than the image, or another number of values than of channels.</exception>
    public ImageClassification(int crop_size = 224, int resize_size = 256, IReadOnlyList<float>? mean = null, IReadOnlyList<float>? std = null, bool grayscale = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(crop_size, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resize_size, crop_size);
        (_crop, _resize, _grayscale) = (crop_size, resize_size, grayscale);
        this.mean = [.. mean ?? [0.485f, 0.456f, 0.406f]];
        this.std = [.. std ?? [0.229f, 0.224f, 0.225f]];
        Check(this.mean, nameof(mean));
        Check(this.std, nameof(std));
        if (this.std.Any(value => value <= 0))
            throw new ArgumentException($"std is [{string.Join(", ", this.std)}]; expected numbers above 0.", nameof(std));
        _levels = [.. this.mean.Zip(this.std).Select(channel => Enumerable.Range(0, Levels).Select(value => ((value / 255f) - channel.First) / channel.Second).ToArray())];
    }

    /// <summary>Subtracted, for each channel.</summary>
    public IReadOnlyList<float> mean { get; }

    /// <summary>Divided by, for each channel.</summary>
    public IReadOnlyList<float> std { get; }

    /// <summary>Transforms an image; thread-safe.</summary>
    /// <param name="image">Bytes [3, height, width]: red, green, blue.</param>
    /// <returns>float32 [3, crop_size, crop_size], or [1, ...] for grey ones, contiguous.</returns>
    /// <exception cref="ArgumentException">The tensor has another type or shape.</exception>
    public Tensor call(Tensor image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.dtype != ScalarType.Byte || image.dim() != 3 || image.shape[0] != Channels || image.numel() == 0)
            throw new ArgumentException($"The image is {image.dtype} [{string.Join(", ", image.shape)}]; expected Byte [3, height, width].", nameof(image));
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var bytes = Crop(Resize(_grayscale ? Gray(image) : image)).contiguous().cpu();
        var result = empty(bytes.shape, ScalarType.Float32, CPU);
        var source = bytes.Span<byte>();
        var target = result.Span<float>();
        var area = _crop * _crop;
        for (var channel = 0; channel < _levels.Length; channel++)
        {
            var levels = _levels[channel];
            for (var i = channel * area; i < (channel + 1) * area; i++) target[i] = levels[source[i]];
        }

        return result.MoveToOuterDisposeScope();
    }

    private static Tensor Gray(Tensor image)
    {
        var result = empty([1, .. image.shape[1..]], ScalarType.Byte, CPU);
        var plain = image.cpu().contiguous();
        var source = plain.Span<byte>();
        var target = result.Span<byte>();
        var area = target.Length;
        for (var i = 0; i < area; i++)
            target[i] = (byte)(((source[i] * s_luma[0]) + (source[area + i] * s_luma[1]) + (source[(2 * area) + i] * s_luma[2]) + (1 << 15)) >> 16);
        return result;
    }

    private Tensor Resize(Tensor image)
    {
        var (height, width) = (image.shape[1], image.shape[2]);
        var shorter = Math.Min(height, width);
        // Rounded down, as torchvision does.
        long Side(long side) => side == shorter ? _resize : (long)(_resize * side / (double)shorter);
        var (newHeight, newWidth) = (Side(height), Side(width));
        return (newHeight, newWidth) == (height, width)
            ? image
            : nn.functional.interpolate(image.unsqueeze(0), [newHeight, newWidth], mode: InterpolationMode.Bilinear, align_corners: false, antialias: true).squeeze(0);
    }

    private Tensor Crop(Tensor image)
    {
        // Half to even, as Python's round.
        long Start(long side) => (long)Math.Round((side - _crop) / 2.0);
        return image.narrow(1, Start(image.shape[1]), _crop).narrow(2, Start(image.shape[2]), _crop);
    }

    private void Check(IReadOnlyList<float> values, string name)
    {
        var channels = _grayscale ? 1 : Channels;
        if (values.Count != channels || !values.All(float.IsFinite))
            throw new ArgumentException($"{name} is [{string.Join(", ", values)}]; expected {channels} finite {(channels == 1 ? "number, of grey images (mean: [0.5f], std: [0.5f] for example)" : "numbers, for red, green and blue")}.", name);
    }
}
