namespace TorchQuant.Kernels;

/// <summary>A line of the cache, as long as a vector of 512 bits: where buffers begin, so that no such vector lies on two lines.</summary>
internal static unsafe class CacheLine
{
    public const int Bytes = 64;

    /// <summary>The first line that begins at an address or behind it. Memory that is rented for what begins there has to be <see cref="Bytes"/> longer.</summary>
    public static byte* Align(void* memory) => (byte*)(((nuint)memory + (Bytes - 1)) & ~(nuint)(Bytes - 1));

    /// <summary>Whole lines for so many bytes.</summary>
    public static long RoundUp(long bytes) => (bytes + (Bytes - 1)) & ~(long)(Bytes - 1);
}
