using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>What a model says of an image.</summary>
/// <param name="Model">Which model; a data type's name (float, int8) gives its colour.</param>
/// <param name="Class">The predicted class, with what else is to be said: "Sneaker, 98 %".</param>
/// <param name="Right">Whether it is right, written as ✓ or ✗; null: not known.</param>
public sealed record ImagePrediction(string Model, string Class, bool? Right = null);

/// <summary>A grey or RGB image of 8 bits a channel, with what is written under it.</summary>
public sealed record GridImage
{
    private readonly byte[] _pixels;

    /// <summary>An image of <paramref name="pixels"/>, which are copied.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="pixels">Row by row: width × height bytes of grey, or three times as many of red, green, blue, red, ….</param>
    /// <exception cref="ArgumentException">The number of bytes fits neither.</exception>
    public GridImage(int width, int height, ReadOnlySpan<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var area = (long)width * height;
        if (pixels.Length != area && pixels.Length != 3 * area)
            throw new ArgumentException($"An image of {width} × {height} has {area} bytes when it is grey and {3 * area} when it is RGB, not {pixels.Length}.", nameof(pixels));
        (Width, Height, _pixels) = (width, height, pixels.ToArray());
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Under the image, such as its true class.</summary>
    public string Caption { get; init; } = "";

    /// <summary>What models say of it, one line each.</summary>
    public IReadOnlyList<ImagePrediction> Predictions { get; init => field = [.. value]; } = [];

    internal string DataUri => Png.DataUri(_pixels, Width, Height, _pixels.Length / (Width * Height));
}
