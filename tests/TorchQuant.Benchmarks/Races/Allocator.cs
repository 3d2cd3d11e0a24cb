using System.Runtime.InteropServices;

namespace TorchQuant.Benchmarks.Races;

/// <summary>
/// The C library's allocator, set so that libtorch gets the memory of a result that it has freed at once again. By default glibc gives large blocks back to the system, and the page
/// faults of fresh ones cost libtorch 3 to 17 % of its time.
/// </summary>
internal static partial class Allocator
{
    private const int TrimThreshold = -1, MmapThreshold = -3;

    /// <summary>The largest that glibc accepts.</summary>
    private const int LargestMmapThreshold = 32 << 20;

    public static void KeepMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = Mallopt(MmapThreshold, LargestMmapThreshold);
            _ = Mallopt(TrimThreshold, int.MaxValue);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without this knob.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Mallopt(int parameter, int value);
}
