using System.Runtime.InteropServices;

namespace TorchQuant.Kernels;

/// <summary>Finds a native library that the process has loaded already, on Linux. Allocates nothing where it finds none.</summary>
internal static unsafe partial class LoadedLibrary
{
    /// <summary>The path of a loaded library whose file name begins like this, if any; with several, the last one loaded.</summary>
    /// <param name="fileName">The first characters of the name of its file.</param>
    public static string? Path(ReadOnlySpan<byte> fileName)
    {
        fixed (byte* start = fileName)
        {
            var search = new Search { FileName = start, Length = fileName.Length };
            try
            {
                _ = ForEachLibrary(&Compare, &search);
            }
            catch (EntryPointNotFoundException)
            {
                // A C library without the function.
            }

            return Marshal.PtrToStringUTF8((nint)search.Found);
        }
    }

    /// <summary>Called with the C library's <c>dl_phdr_info</c>: an address, then the path.</summary>
    [UnmanagedCallersOnly]
    private static int Compare(byte** library, nint bytes, Search* search)
    {
        if (library[1] is null)
            return 0;
        ReadOnlySpan<byte> path = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(library[1]);
        if (path[(path.LastIndexOf((byte)'/') + 1)..].StartsWith(new ReadOnlySpan<byte>(search->FileName, search->Length)))
            search->Found = library[1];
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "dl_iterate_phdr")]
    private static partial int ForEachLibrary(delegate* unmanaged<byte**, nint, Search*, int> callback, Search* state);

    private struct Search
    {
        public byte* FileName, Found;
        public int Length;
    }
}
