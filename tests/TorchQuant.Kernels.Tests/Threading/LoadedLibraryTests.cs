using Xunit;

namespace TorchQuant.Kernels.Tests;

public class LoadedLibraryTests
{
    public static bool IsLinux => OperatingSystem.IsLinux();

    [Fact(Skip = "Looked for on Linux only.", SkipUnless = nameof(IsLinux))]
    public void A_library_of_the_process_is_found_and_no_other()
    {
        string? path = LoadedLibrary.Path("libcoreclr.so"u8);
        Assert.NotNull(path);
        Assert.True(File.Exists(path));
        Assert.StartsWith("libcoreclr.so", Path.GetFileName(path), StringComparison.Ordinal);
        Assert.Null(LoadedLibrary.Path("oreclr"u8));
        Assert.Equal(0, Allocations.Least(static () => _ = LoadedLibrary.Path("libnowhere"u8)));
    }
}
