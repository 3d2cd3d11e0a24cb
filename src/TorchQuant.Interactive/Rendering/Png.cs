using System.Buffers.Binary;
using System.IO.Compression;

namespace TorchQuant.Interactive.Rendering;

/// <summary>Writes 8-bit grey, RGB and RGBA images as PNG (ISO/IEC 15948): header, one compressed stream of unfiltered rows, end.</summary>
internal static class Png
{
    private const uint CrcPolynomial = 0xEDB88320;

    /// <param name="pixels">Row by row, one byte (grey), three (red, green, blue) or four (opacity too) per pixel.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="channels">1, 3 or 4.</param>
    public static string DataUri(ReadOnlySpan<byte> pixels, int width, int height, int channels) => "data:image/png;base64," + Convert.ToBase64String(Encode(pixels, width, height, channels));

    /// <inheritdoc cref="DataUri"/>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        // Bits per channel, colour type (0 grey, 2 RGB, 6 RGBA), then compression, filter and interlace methods, all 0.
        (header[8], header[9], header[10], header[11], header[12]) = (8, (byte)(channels switch { 1 => 0, 3 => 2, _ => 6 }), 0, 0, 0);
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, Rows(pixels, width * channels, height));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Rows(ReadOnlySpan<byte> pixels, int bytes, int height)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize))
        {
            for (var y = 0; y < height; y++)
            {
                // Each row begins with its filter: none.
                zlib.WriteByte(0);
                zlib.Write(pixels.Slice(y * bytes, bytes));
            }
        }
        return packed.ToArray();
    }

    // Length, type, data, CRC of type and data.
    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, type), data));
        file.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ CrcPolynomial : crc >> 1;
        }
        return crc;
    }
}
