namespace TorchQuant.Models;

/// <summary>The checksum of zip archives and PNG files: CRC-32 with the reflected polynomial EDB88320 (ISO/IEC 15948, annex D).</summary>
internal static class Crc32
{
    private const int ChunkBytes = 1 << 16;

    private static readonly uint[] s_table = [.. Enumerable.Range(0, 256).Select(Entry)];

    public static uint Of(ReadOnlySpan<byte> bytes) => ~Continue(uint.MaxValue, bytes);

    /// <summary>Of a stream to its end.</summary>
    public static uint Of(Stream stream)
    {
        var buffer = new byte[ChunkBytes];
        var state = uint.MaxValue;
        for (int count; (count = stream.Read(buffer)) > 0;) state = Continue(state, buffer.AsSpan(0, count));
        return ~state;
    }

    private static uint Continue(uint state, ReadOnlySpan<byte> bytes)
    {
        var table = s_table;
        foreach (var value in bytes) state = table[(byte)state ^ value] ^ (state >> 8);
        return state;
    }

    private static uint Entry(int value)
    {
        var entry = (uint)value;
        for (var bit = 0; bit < 8; bit++) entry = (entry >> 1) ^ (0xEDB88320 & (0 - (entry & 1)));
        return entry;
    }
}
