using System.Runtime.InteropServices;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>Memory that the process has freed and keeps: after a match it is of no use to the next, and a long race would end without any left.</summary>
internal static partial class FreedMemory
{
    /// <summary>Frees what only finalizers free, then gives the pages of free memory back to the system, where the C library can.</summary>
    public static void Return()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        try
        {
            if (OperatingSystem.IsLinux())
                _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
