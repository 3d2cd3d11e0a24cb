using StbImageSharp;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>Reads JPEG, PNG and BMP files; the content tells the kind, not the name. Transparency is dropped and orientation tags are not followed, as by torchvision's loader.</summary>
internal static class ImageFile
{
    private const int HeadBytes = 8;

    /// <returns>Bytes [3, height, width]: red, green, blue, the channels of a pixel side by side in memory.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or of another kind.</exception>
    public static Tensor Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (ImageIntegrity.Fault(bytes) is { } fault)
            throw Damaged(path, bytes, fault);
        ImageResult image;
        try
        {
            image = ImageResult.FromMemory(bytes, ColorComponents.RedGreenBlue);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw Damaged(path, bytes, $"data that cannot be decoded ({e.Message.TrimEnd('.')})", e);
        }

        using var pixels = empty([image.Height, image.Width, 3], ScalarType.Byte, CPU);
        image.Data.CopyTo(pixels.Span<byte>());
        return pixels.permute(2, 0, 1);
    }

    private static InvalidDataException Damaged(string path, byte[] bytes, string found, Exception? inner = null) => new(
        $"{path} ({bytes.Length} bytes, beginning with {Convert.ToHexString(bytes.AsSpan(0, Math.Min(HeadBytes, bytes.Length)))}): found {found}, expected a whole JPEG, PNG or BMP image. "
        + "Get the file again, convert it to PNG, or take it out of the folder.", inner);
}
