using System.Runtime.InteropServices;
using Xunit;

namespace TorchQuant.Tests.Native;

public class NativeAllocatorTests
{
    [Fact]
    public void Freed_memory_is_kept_where_the_C_library_can()
    {
        var can = OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var libc) && NativeLibrary.TryGetExport(libc, "mallopt", out _);
        Assert.Equal(can, NativeAllocator.KeepFreedMemory());
        Assert.Equal(can, NativeAllocator.KeepFreedMemory());
    }
}
