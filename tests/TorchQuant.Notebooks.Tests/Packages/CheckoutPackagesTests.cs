using System.IO.Compression;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Packages;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Packages;

/// <summary>Packages that are packed from the checkout round the notebook: a small one, laid out as this repository is.</summary>
public sealed class CheckoutPackagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CheckoutPackagesTests()
    {
        _folder.Write("Toolkit.sln", "");
        _folder.Write("Directory.Build.props", "<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework><VersionPrefix>0.3.0</VersionPrefix><IsPackable>false</IsPackable></PropertyGroup></Project>");
        _folder.Write("Directory.Build.targets", "<Project />");
        _folder.Write("nuget.config", """<configuration><packageSources><clear /><add key="this-checkout" value=".packages" /></packageSources></configuration>""");
        Directory.CreateDirectory(Path.Combine(_folder.Path, ".packages"));
        _folder.Write("src/Tiny.Base/Tiny.Base.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><IsPackable>true</IsPackable></PropertyGroup></Project>""");
        _folder.Write("src/Tiny.Base/Base.cs", "namespace Tiny; public static class Base { public const int Value = 1; }");
        _folder.Write("src/Tiny.Top/Tiny.Top.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><IsPackable>true</IsPackable></PropertyGroup><ItemGroup><ProjectReference Include="../Tiny.Base/Tiny.Base.csproj" /></ItemGroup></Project>""");
        _folder.Write("src/Tiny.Top/Top.cs", "namespace Tiny; public static class Top { public static int Value => Base.Value; }");
        _folder.Write("src/Tool/Tool.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
        // What a developer's own build leaves must neither be compiled in nor change the version.
        _folder.Write("src/Tiny.Base/obj/Left.cs", "does not compile");
    }

    public void Dispose() => _folder.Dispose();

    private async Task<string> VersionAsync(params PackageRequest[] requests)
    {
        var substituted = await CheckoutPackages.Find(Path.Combine(_folder.Path, "src"))!.SubstituteAsync(requests, _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(requests.Select(request => request.Id), substituted.Select(request => request.Id));
        return substituted.First().Version!;
    }

    private FileInfo[] Packed() => new DirectoryInfo(Path.Combine(_folder.Path, ".packages")).GetFiles("*.nupkg");

    [Fact]
    public async Task The_same_sources_are_packed_once_and_an_edit_gives_another_version()
    {
        // Two runs at a time: one packs, the other waits.
        var versions = await Task.WhenAll(
            Task.Run(() => VersionAsync(new PackageRequest("tiny.top", "0.3.0"), new PackageRequest("Foreign", "1.0")), TestContext.Current.CancellationToken),
            Task.Run(() => VersionAsync(new PackageRequest("Tiny.Top", null)), TestContext.Current.CancellationToken));
        Assert.Equal(versions[0], versions[1]);
        Assert.Matches(@"^\[0\.3\.0-local\.h[0-9a-f]{12}\]$", versions[0]);
        var packed = Packed();
        Assert.Equal(2, packed.Length);
        using (var zip = await ZipFile.OpenReadAsync(packed.Single(file => file.Name.StartsWith("Tiny.Top", StringComparison.Ordinal)).FullName, TestContext.Current.CancellationToken))
        using (var nuspec = new StreamReader(await zip.GetEntry("Tiny.Top.nuspec")!.OpenAsync(TestContext.Current.CancellationToken)))
            Assert.Contains($"id=\"Tiny.Base\" version=\"{versions[0].Trim('[', ']')}\"", await nuspec.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "src", "Tiny.Base", "obj", "project.assets.json")));

        Assert.Equal(versions[0], await VersionAsync(new PackageRequest("Tiny.Top", null)));
        Assert.Equal(packed.Select(file => file.LastWriteTimeUtc), Packed().Select(file => file.LastWriteTimeUtc));

        // An edit below shows above; one of a project that the package does not need does not.
        _folder.Write("src/Tool/Program.cs", "return 1;");
        Assert.Equal(versions[0], await VersionAsync(new PackageRequest("Tiny.Top", null)));
        _folder.Write("src/Tiny.Base/Base.cs", "namespace Tiny; public static class Base { public const int Value = 2 }");
        var error = await Assert.ThrowsAsync<CellException>(() => VersionAsync(new PackageRequest("Tiny.Top", null)));
        Assert.Contains("error CS1002", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_version_than_the_checkouts_is_refused()
    {
        var error = await Assert.ThrowsAsync<CellException>(() => VersionAsync(new PackageRequest("Tiny.Base", "0.2.0")));
        Assert.Contains("0.3.0", error.Message, StringComparison.Ordinal);
        Assert.Empty(Packed());
    }

    [Fact]
    public async Task Packages_of_others_are_left_as_they_were_asked_for()
    {
        PackageRequest[] requests = [new("Foreign", "1.0"), new("Tool", null)];
        Assert.Same(requests, await CheckoutPackages.Find(_folder.Path)!.SubstituteAsync(requests, _ => { }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Outside_a_checkout_there_is_none() => Assert.Null(CheckoutPackages.Find(Path.GetTempPath()));
}
