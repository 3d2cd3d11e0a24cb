using System.Runtime.InteropServices;

namespace TorchQuant.Benchmarks.Races;

/// <summary>
/// The C library's allocator, set so that libtorch gets the memory of a result that it has freed at once again. By default glibc gives large blocks back to the system, and the page
/// faults of fresh ones cost libtorch 3 to 17 % of its time.
/// </summary>
internal static partial class Allocator
{
    private const int TrimThreshold = -1, MmapMax = -4;

    public static void KeepMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            // No block gets pages of its own, which would go back when it is freed; and the heap never shrinks.
            _ = Mallopt(MmapMax, 0);
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
