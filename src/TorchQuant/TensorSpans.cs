using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The memory of a contiguous CPU tensor as a span. The span is valid while the tensor lives: whoever takes one keeps the tensor alive
/// to its last use (<c>using</c>, or <c>GC.KeepAlive</c> for a borrowed tensor).</summary>
internal static class TensorSpans
{
    /// <summary>The elements of a contiguous CPU tensor whose element type has the size of <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException">The tensor has more than 2^31 - 1 elements, is not contiguous, or is not on the CPU.</exception>
    public static unsafe Span<T> Span<T>(this Tensor tensor) where T : unmanaged
    {
        var count = tensor.numel();
        if (count == 0)
            return [];
        if (count > int.MaxValue)
            throw TooLarge(count, nameof(tensor));
        if (count * sizeof(T) <= int.MaxValue)
            return MemoryMarshal.Cast<byte, T>(tensor.bytes);
        // Tensor.bytes counts bytes in an int: beyond 2 GiB the address comes from the first element alone.
        using var flat = tensor.view(-1);
        using var first = flat.narrow(0, 0, 1);
        fixed (byte* address = first.bytes)
            return new Span<T>(address, (int)count);
    }

    /// <summary>The elements of a CPU tensor that lie in memory without gaps, in the order in which they lie, whatever the order of its dimensions.</summary>
    /// <exception cref="ArgumentException">The tensor has more than 2^31 - 1 elements.</exception>
    public static unsafe ReadOnlySpan<T> Memory<T>(this Tensor tensor) where T : unmanaged
    {
        var count = tensor.numel();
        if (count > int.MaxValue)
            throw TooLarge(count, nameof(tensor));
        return new ReadOnlySpan<T>((void*)TorchSharpPrivates.Data(tensor), (int)count);
    }

    /// <summary>The tensor itself if it is contiguous, otherwise a contiguous copy, which <paramref name="owned"/> holds for the caller to dispose.</summary>
    public static Tensor Contiguous(this Tensor tensor, out Tensor? owned)
    {
        if (tensor.is_contiguous())
        {
            owned = null;
            return tensor;
        }
        owned = tensor.contiguous();
        return owned;
    }

    private static ArgumentException TooLarge(long count, string name) => new($"A tensor of {count} elements is too large for one call: at most {int.MaxValue}. Split the batch.", name);
}
