using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>What lies in the packages.</summary>
public class PackageContentTests(PackedFeed feed)
{
    private const long MostBytes = 40_000_000; // the compilers of C# and F# in the tool; libtorch alone is 200 MB

    public static TheoryData<string> Projects => [.. PackedFeed.Projects];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_package_has_readme_licence_and_symbols(string project)
    {
        using var package = ZipFile.OpenRead(feed.Package(project));
        using var spec = package.GetEntry(project + ".nuspec")!.Open();
        var metadata = XDocument.Load(spec).Root!.Elements().Single().Elements().ToLookup(element => element.Name.LocalName, element => element.Value);
        Assert.Equal(("MIT", "README.md"), (metadata["license"].Single(), metadata["readme"].Single()));
        Assert.NotEmpty(metadata["description"].Single());
        Assert.NotNull(package.GetEntry("README.md"));
        using var symbols = ZipFile.OpenRead(feed.Package(project, "snupkg"));
        Assert.Contains(symbols.Entries, entry => entry.Name == project + ".pdb");
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_file_names_the_folder_that_it_was_built_in(string project)
    {
        var root = Encoding.UTF8.GetBytes(ReadmeExample.Root.TrimEnd('/', '\\'));
        foreach (var file in new[] { feed.Package(project), feed.Package(project, "snupkg") })
        {
            using var package = ZipFile.OpenRead(file);
            foreach (var entry in package.Entries.Where(entry => entry.Name.StartsWith("TorchQuant", StringComparison.Ordinal)))
            {
                using var content = new MemoryStream();
                using (var stream = entry.Open()) stream.CopyTo(content);
                Assert.True(content.ToArray().AsSpan().IndexOf(root) < 0, $"{entry.FullName} of {Path.GetFileName(file)} holds {ReadmeExample.Root}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_package_carries_a_native_library_of_torch(string project)
    {
        using var package = ZipFile.OpenRead(feed.Package(project));
        Assert.DoesNotContain(package.Entries, entry => entry.Name.Contains("libtorch", StringComparison.OrdinalIgnoreCase) || entry.Name.Contains("LibTorchSharp", StringComparison.OrdinalIgnoreCase));
        Assert.InRange(new FileInfo(feed.Package(project)).Length, 1, MostBytes);
    }
}
