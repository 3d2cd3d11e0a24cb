using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;

namespace TorchQuant.Models;

/// <summary>
/// The layout of fashion-mnist.br, which make-fashion-mnist.cs writes. Brotli-compressed: the lengths of 320 streams (32-bit, little-endian), a label per image, then the streams of pixels one after the other.
/// The stream of a pixel follows from its neighbours left, above, above left and above right (0 beyond the border), so that each stream holds pixels that are likely to be alike:
/// stream = 10 * floor(paeth / 8) + floor(log2(1 + activity)), with PNG's Paeth predictor and activity = |left - corner| + |corner - up| + |up - right|.
/// </summary>
internal static class FashionMnistFile
{
    public const int Side = 28;

    private const int Area = Side * Side, Levels = 10, Streams = 256 / 8 * Levels, Head = Streams * sizeof(int);

    public static byte[] Unpack(byte[] packed)
    {
        using var brotli = new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        brotli.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>The class of each image.</summary>
    public static ReadOnlySpan<byte> Labels(ReadOnlySpan<byte> plain) => plain.Slice(Head, (plain.Length - Head) / (Area + 1));

    /// <summary>Writes the pixels of all images, row by row, to <paramref name="images"/>.</summary>
    public static void Decode(ReadOnlySpan<byte> plain, Span<byte> images)
    {
        Span<int> next = stackalloc int[Streams];
        var start = Head + Labels(plain).Length;
        for (var stream = 0; stream < Streams; stream++)
        {
            next[stream] = start;
            start += BinaryPrimitives.ReadInt32LittleEndian(plain[(stream * sizeof(int))..]);
        }

        for (var at = 0; at < images.Length; at++)
        {
            int x = at % Side, y = at / Side % Side;
            int left = x > 0 ? images[at - 1] : 0, up = y > 0 ? images[at - Side] : 0;
            int corner = x > 0 && y > 0 ? images[at - Side - 1] : 0, right = y > 0 && x < Side - 1 ? images[at - Side + 1] : 0;
            var activity = Math.Abs(left - corner) + Math.Abs(corner - up) + Math.Abs(up - right);
            images[at] = plain[next[Paeth(left, up, corner) / 8 * Levels + BitOperations.Log2((uint)activity + 1)]++];
        }
    }

    // The neighbour that is nearest to left + up - corner; left before up before corner.
    private static int Paeth(int left, int up, int corner)
    {
        var guess = left + up - corner;
        int toLeft = Math.Abs(guess - left), toUp = Math.Abs(guess - up), toCorner = Math.Abs(guess - corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
