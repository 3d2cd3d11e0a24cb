using System.Runtime.InteropServices;

namespace TorchQuant;

/// <summary>
/// The C library's allocator, from which libtorch takes the memory of tensors. glibc gives blocks above 32 MB back to the system when they are freed, and so a model whose output is that large
/// (a batch of words times a vocabulary) gets fresh pages in every call, which the system clears one page fault at a time: that can take longer than the model.
/// </summary>
public static partial class NativeAllocator
{
    // Of malloc.h.
    private const int TrimThreshold = -1, MmapMax = -4, Never = -1;

    /// <summary>
    /// From now on the process keeps the memory that it frees: no block gets pages of its own, and the heap does not shrink. It is for programs that run models again and again, and is called once, at their start.
    /// It is a setting of the whole process, which the library never makes by itself: what native code has taken at most stays taken, for other processes too. It serves the main thread; the heaps that glibc makes for
    /// other threads give large blocks back all the same.
    /// </summary>
    /// <returns>Whether the C library has this setting: glibc has; on other systems nothing changes.</returns>
    public static bool KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            return Mallopt(MmapMax, 0) != 0 && Mallopt(TrimThreshold, Never) != 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false; // musl
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Mallopt(int parameter, int value);
}
