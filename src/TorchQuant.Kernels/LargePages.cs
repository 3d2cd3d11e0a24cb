using System.Runtime.InteropServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Asks Linux for pages of 2 MB under large weights: a product of few rows reads all of them at the speed of memory, and with pages of 4 KB every sixty-fourth cache line costs a walk through
/// the tables of pages too. A hint: without it, or where it is refused, everything works as well.
/// </summary>
internal static unsafe partial class LargePages
{
    private const nint PageBytes = 2 * 1024 * 1024;
    private const int UseHugePages = 14;

    /// <summary>Asks for the whole large pages of memory that has not been written yet.</summary>
    public static void Ask(void* memory, nint bytes)
    {
        nint first = ((nint)memory + PageBytes - 1) & -PageBytes, end = ((nint)memory + bytes) & -PageBytes;
        if (!OperatingSystem.IsLinux() || end <= first)
            return;
        try
        {
            _ = Madvise((void*)first, end - first, UseHugePages);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A system without it under this name; the hint is not needed.
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* memory, nint bytes, int advice);
}
