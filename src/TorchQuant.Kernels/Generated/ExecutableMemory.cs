using System.Runtime.InteropServices;

namespace TorchQuant.Kernels.Generated;

/// <summary>Pages that hold generated code: written while they are writable, then made executable, never both at once. They live as long as the process.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ReadWrite = 1 | 2, ReadExecute = 1 | 4, PrivateAnonymous = 0x22, PrivateAnonymousOnMac = 0x1002;
    private const uint CommitAndReserve = 0x3000, PageReadWrite = 4, PageExecuteRead = 0x20;

    /// <summary>What mprotect is asked to make of pages with code. Tests ask for what no system grants.</summary>
    internal static int CodeProtection { get; set; } = ReadExecute;

    /// <summary>Copies code to fresh pages and makes them executable.</summary>
    /// <returns>The address of the code; null where the system refuses.</returns>
    public static byte* TryPlace(ReadOnlySpan<byte> code)
    {
        nuint bytes = ((nuint)code.Length + (nuint)Environment.SystemPageSize - 1) / (nuint)Environment.SystemPageSize * (nuint)Environment.SystemPageSize;
        try
        {
            return OperatingSystem.IsWindows() ? PlaceOnWindows(code, bytes) : PlaceOnUnix(code, bytes);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static byte* PlaceOnUnix(ReadOnlySpan<byte> code, nuint bytes)
    {
        byte* pages = Mmap(null, bytes, ReadWrite, OperatingSystem.IsMacOS() ? PrivateAnonymousOnMac : PrivateAnonymous, -1, 0);
        if (pages == (byte*)-1)
            return null;
        code.CopyTo(new Span<byte>(pages, code.Length));
        if (Mprotect(pages, bytes, CodeProtection) == 0)
            return pages;
        _ = Munmap(pages, bytes);
        return null;
    }

    private static byte* PlaceOnWindows(ReadOnlySpan<byte> code, nuint bytes)
    {
        byte* pages = VirtualAlloc(null, bytes, CommitAndReserve, PageReadWrite);
        if (pages == null)
            return null;
        code.CopyTo(new Span<byte>(pages, code.Length));
        if (VirtualProtect(pages, bytes, PageExecuteRead, out _) != 0 && FlushInstructionCache(GetCurrentProcess(), pages, bytes) != 0)
            return pages;
        _ = VirtualFree(pages, 0, 0x8000);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Munmap(void* address, nuint length);

    [LibraryImport("kernel32")]
    private static partial byte* VirtualAlloc(void* address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    private static partial int VirtualProtect(void* address, nuint size, uint protection, out uint previous);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(void* address, nuint size, uint type);

    [LibraryImport("kernel32")]
    private static partial nint GetCurrentProcess();

    [LibraryImport("kernel32")]
    private static partial int FlushInstructionCache(nint process, void* address, nuint size);
}
