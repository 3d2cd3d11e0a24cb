using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace TorchQuant.Kernels;

/// <summary>
/// Asks for memory that is needed soon, where a loop reads several places by turns and the processor does not see in time where each goes on. A hint: the address may lie behind the end of an array, and on processors for
/// which .NET has no such instruction nothing happens.
/// </summary>
internal static unsafe class CachePrefetch
{
    /// <summary>The cache line of an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void One(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>The cache lines of some bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Many(byte* first, nint bytes)
    {
        for (nint at = 0; at < bytes; at += CacheLine.Bytes)
            One(first + at);
    }
}
