using System.Buffers.Binary;
using System.IO.Compression;

namespace TorchQuant.Tests.Models;

/// <summary>Writes images, row by row from the top, as the simplest files of their kind.</summary>
internal static class ImageFiles
{
    /// <summary>Of 1 channel, grey; 3, RGB; 4, RGB and transparency.</summary>
    public static byte[] Png(byte[] pixels, int width, int height, int channels)
    {
        using var rows = new MemoryStream();
        using (var zlib = new ZLibStream(rows, CompressionLevel.Optimal, leaveOpen: true))
            foreach (var row in pixels.Chunk(width * channels))
            {
                zlib.WriteByte(0); // no filter
                zlib.Write(row);
            }

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, (byte)(channels == 1 ? 0 : channels == 3 ? 2 : 6));
        return [0x89, .. "PNG"u8, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, rows.ToArray()), .. Chunk("IEND"u8, [])];
    }

    /// <summary>24 bits a pixel.</summary>
    public static byte[] Bmp(byte[] rgb, int width, int height)
    {
        var stride = ((width * 3) + 3) / 4 * 4;
        var file = new byte[54 + (stride * height)];
        "BM"u8.CopyTo(file);
        foreach (var (at, value) in new[] { (2, file.Length), (10, 54), (14, 40), (18, width), (22, height), (26, 1 | (24 << 16)) })
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        for (var y = 0; y < height; y++)
            for (var i = 0; i < width * 3; i++)
                file[54 + (stride * (height - 1 - y)) + i] = rgb[(((y * width) + (i / 3)) * 3) + 2 - (i % 3)]; // from the bottom; blue, green, red
        return file;
    }

    public static byte[] Noise(int seed, int count)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        byte[] body = [.. type, .. data];
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(number[4..], Crc(body));
        return [.. number[..4], .. body, .. number[4..]];
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
        }

        return ~crc;
    }
}
