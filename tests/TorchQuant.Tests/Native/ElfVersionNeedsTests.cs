using TorchQuant.Native;
using TorchSharp;
using Xunit;

namespace TorchQuant.Tests.Native;

public class ElfVersionNeedsTests
{
    private const string Library = "libstdc++.so.6";
    private const string Version = "GLIBCXX_3.4.32";

    [Fact]
    public void One_need_of_TorchSharps_library_is_marked_and_no_other_byte_changes()
    {
        var original = Original();
        var image = original.ToArray();
        Assert.Equal(1, ElfVersionNeeds.MarkWeak(image, Library, Version));
        var changed = Enumerable.Range(0, image.Length).Where(i => image[i] != original[i]).ToList();
        Assert.Single(changed);
        Assert.Equal(original[changed[0]] | 2, image[changed[0]]);
    }

    [Fact]
    public void The_build_and_the_run_time_mend_the_same_bytes()
    {
        var image = Original();
        ElfVersionNeeds.MarkWeak(image, Library, Version);
        var built = Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).Single();
        Assert.True(File.ReadAllBytes(built).AsSpan().SequenceEqual(image));
    }

    [Theory]
    [InlineData("libc.so.6", Version)]
    [InlineData(Library, "GLIBCXX_9.9.9")]
    public void A_need_that_is_not_there_changes_nothing(string library, string version)
    {
        var original = Original();
        var image = original.ToArray();
        Assert.Equal(0, ElfVersionNeeds.MarkWeak(image, library, version));
        Assert.True(image.AsSpan().SequenceEqual(original));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(4096)]
    public void A_file_of_another_kind_is_left_alone(int length)
    {
        var image = new byte[length];
        Assert.Equal(0, ElfVersionNeeds.MarkWeak(image, Library, Version));
        Assert.DoesNotContain(image, b => b != 0);
    }

    private static byte[] Original()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF files are what Linux loads.");
        var package = new NativeLocations(typeof(torch).Assembly).Folders.Single(f => f.Contains("torchsharp", StringComparison.Ordinal) && !f.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal) && f.EndsWith("native", StringComparison.Ordinal));
        return File.ReadAllBytes(Path.Combine(package, "libLibTorchSharp.so"));
    }
}
