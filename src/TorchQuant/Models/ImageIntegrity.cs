using System.Buffers.Binary;

namespace TorchQuant.Models;

/// <summary>
/// Whether an image file is whole, which the decoder does not look at: it decodes what there is of a file that is cut off. PNG (ISO/IEC 15948): all chunks to the last with their checksums; JPEG (ITU-T T.81, annex B): all
/// segments to the end-of-image marker; BMP: as many bytes as the header says.
/// </summary>
internal static class ImageIntegrity
{
    private const byte Marker = 0xFF, StartOfScan = 0xDA, EndOfImage = 0xD9;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private static ReadOnlySpan<byte> JpegStart => [Marker, 0xD8, Marker];

    /// <summary>What is wrong, for "found ..."; null if nothing is.</summary>
    public static string? Fault(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith(PngSignature)) return Png(file[8..]);
        if (file.StartsWith(JpegStart)) return Jpeg(file[2..]);
        return file.StartsWith("BM"u8) ? Bmp(file) : "a file of another kind";
    }

    private static string? Png(ReadOnlySpan<byte> rest)
    {
        while (rest.Length >= 12)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 12) break;
            var end = 8 + (int)length;
            if (Crc32.Of(rest[4..end]) != BinaryPrimitives.ReadUInt32BigEndian(rest[end..]))
                return $"a PNG with a wrong checksum, {rest.Length} bytes before its end";
            if (rest[4..8].SequenceEqual("IEND"u8)) return null;
            rest = rest[(end + 4)..];
        }

        return "a PNG that is cut off";
    }

    private static string? Jpeg(ReadOnlySpan<byte> rest)
    {
        while (true)
        {
            // Bytes between segments, and fill bytes before a marker, are passed over as libjpeg does.
            var at = rest.IndexOf(Marker);
            if (at < 0) break;
            rest = rest[at..].TrimStart(Marker);
            if (rest.IsEmpty) break;
            var code = rest[0];
            rest = rest[1..];
            if (code == EndOfImage) return null;
            if (code is 0 or 1 or (>= 0xD0 and <= 0xD7)) continue; // a marker without a segment
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && (length < 2 || length > rest.Length)) break;
            rest = rest[length..];
            if (code == StartOfScan) rest = AfterScan(rest);
        }

        return "a JPEG that is cut off";
    }

    // In a scan's data, FF 00 is a byte FF and FF D0 to FF D7 are restarts; any other marker ends it.
    private static ReadOnlySpan<byte> AfterScan(ReadOnlySpan<byte> rest)
    {
        for (var at = rest.IndexOf(Marker); at >= 0 && at + 1 < rest.Length; at = rest.IndexOf(Marker))
        {
            if (rest[at + 1] is not (0 or Marker or (>= 0xD0 and <= 0xD7))) return rest[at..];
            rest = rest[(at + (rest[at + 1] == Marker ? 1 : 2))..];
        }

        return [];
    }

    private static string? Bmp(ReadOnlySpan<byte> file)
    {
        const int CoreHeader = 12, Head = 14, Compression = 30;
        if (file.Length < Head + CoreHeader) return "a BMP that is cut off";
        var core = BinaryPrimitives.ReadInt32LittleEndian(file[Head..]) == CoreHeader;
        if (!core && file.Length < Compression + 4) return "a BMP that is cut off";
        long offset = BinaryPrimitives.ReadUInt32LittleEndian(file[10..]);
        long width = core ? BinaryPrimitives.ReadUInt16LittleEndian(file[18..]) : BinaryPrimitives.ReadInt32LittleEndian(file[18..]);
        long height = core ? BinaryPrimitives.ReadUInt16LittleEndian(file[20..]) : Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..]));
        long bits = BinaryPrimitives.ReadUInt16LittleEndian(file[(core ? 24 : 28)..]);
        if (!core && BinaryPrimitives.ReadInt32LittleEndian(file[Compression..]) is 1 or 2) return "a BMP with run-length encoding";
        if (width < 1 || height < 1) return $"a BMP of {width} x {height} pixels";
        var needed = offset + ((((width * bits) + 31) / 32 * 4) * height);
        return needed > file.Length ? $"a BMP that is cut off ({needed} bytes were expected)" : null;
    }
}
