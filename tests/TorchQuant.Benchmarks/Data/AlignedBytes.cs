using System.Runtime.InteropServices;

namespace TorchQuant.Benchmarks.Data;

/// <summary>Bytes that begin at a multiple of 64, as those of libtorch's tensors do.</summary>
internal sealed unsafe class AlignedBytes(int length)
{
    private const nuint Alignment = 64;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);

    ~AlignedBytes() => NativeMemory.AlignedFree(_memory);

    public Span<byte> Span => new(_memory, length);

    public static AlignedBytes Of(ReadOnlySpan<byte> bytes)
    {
        var aligned = new AlignedBytes(bytes.Length);
        bytes.CopyTo(aligned.Span);
        return aligned;
    }
}
