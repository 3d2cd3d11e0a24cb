using System.Buffers.Binary;
using System.Text;

namespace TorchQuant.Native;

/// <summary>
/// Edits the version needs (section .gnu.version_r) of an ELF64 little-endian shared object. A need that is marked weak
/// (VER_FLG_WEAK) no longer stops the dynamic loader when the library that it names does not define that version.
/// Source: System V ABI, "Symbol Versioning", Elf64_Verneed and Elf64_Vernaux.
/// </summary>
internal static class ElfVersionNeeds
{
    private const uint SectionGnuVerneed = 0x6ffffffe;
    private const ushort Weak = 2;

    /// <summary>Marks every need of <paramref name="version"/> from <paramref name="library"/> weak, in place.</summary>
    /// <returns>How many needs were found; 0 when the image is no ELF64 file or names no such version.</returns>
    public static int MarkWeak(Span<byte> image, string library, string version)
    {
        if (!IsElf64(image)) return 0;
        var found = 0;
        var sections = (int)U64(image, 0x28);
        int entrySize = U16(image, 0x3A), count = U16(image, 0x3C);
        for (var i = 0; i < count; i++)
        {
            var section = sections + i * entrySize;
            if (U32(image, section + 4) != SectionGnuVerneed) continue;
            var stringsSection = sections + (int)U32(image, section + 40) * entrySize;
            found += MarkSection(image, (int)U64(image, section + 24), (int)U64(image, stringsSection + 24), library, version);
        }
        return found;
    }

    private static int MarkSection(Span<byte> image, int need, int strings, string library, string version)
    {
        var found = 0;
        while (true)
        {
            var ofLibrary = Text(image, strings + (int)U32(image, need + 4)) == library;
            var auxiliary = need + (int)U32(image, need + 8);
            for (int k = U16(image, need + 2); k > 0; k--)
            {
                if (ofLibrary && Text(image, strings + (int)U32(image, auxiliary + 8)) == version)
                {
                    var flags = (ushort)(U16(image, auxiliary + 4) | Weak);
                    BinaryPrimitives.WriteUInt16LittleEndian(image[(auxiliary + 4)..], flags);
                    found++;
                }
                auxiliary += (int)U32(image, auxiliary + 12);
            }
            var next = (int)U32(image, need + 12);
            if (next == 0) return found;
            need += next;
        }
    }

    // 0x7f 'E' 'L' 'F', class 2 = 64 bit, data 1 = little endian.
    private static bool IsElf64(ReadOnlySpan<byte> image) =>
        image.Length >= 64 && image[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]);

    private static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static ulong U64(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);

    private static string Text(ReadOnlySpan<byte> image, int at)
    {
        var tail = image[at..];
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }
}
