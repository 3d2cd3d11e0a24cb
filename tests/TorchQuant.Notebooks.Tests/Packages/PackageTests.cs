using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Packages;

/// <summary>
/// <c>#r "nuget: ..."</c> with packages that the test makes, in a folder whose nuget.config names no other source and a package cache of its own, so that
/// neither the network nor the user's cache plays a part.
/// </summary>
[Collection(ProcessState.Name)]
public sealed class PackageTests : IDisposable
{
    private const string Cache = "NUGET_PACKAGES";

    private readonly TemporaryFolder _folder = new();
    private readonly Collected _shown = new();
    private readonly NotebookSession _session;
    private readonly string? _cacheBefore = Environment.GetEnvironmentVariable(Cache);
    private int _cells;

    public PackageTests()
    {
        Environment.SetEnvironmentVariable(Cache, Path.Combine(_folder.Path, "cache"));
        _folder.Write("nuget.config", """<configuration><packageSources><clear /><add key="feed" value="feed" /></packageSources></configuration>""");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "feed"));
        _session = new NotebookSession(_folder.Path, _shown);
    }

    public void Dispose()
    {
        _session.Dispose();
        Environment.SetEnvironmentVariable(Cache, _cacheBefore);
        _folder.Dispose();
    }

    private string Feed => Path.Combine(_folder.Path, "feed");

    private Task<CellResult> RunAsync(string code) => _session.RunAsync(++_cells, code, CellLanguage.CSharp, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_package_that_an_fsharp_cell_asks_for_is_there_in_both_languages()
    {
        var assembly = TinyPackage.Compile("Tiny.Both", "namespace Tiny; public static class Both { public static int Value => 20; public static int Loaded; }");
        TinyPackage.Write(Feed, "Tiny.Both", "1.0.0", assembly, extension: "#!csharp\nTiny.Both.Loaded++;");
        var code = "let text = \"\"\"\n#r \"nuget: Not.This\"\n\"\"\"\n(*\n#r \"nuget: Nor.That\"\n*)\n#r \"nuget: Tiny.Both\" // why\nopen Tiny\nBoth.Value + Both.Loaded";
        var result = await _session.RunAsync(++_cells, code, CellLanguage.FSharp, TestContext.Current.CancellationToken);
        Assert.True(result.Error is null, string.Join('\n', result.Error?.Lines ?? []));
        Assert.Equal(["Packages: Tiny.Both 1.0.0", "21"], _shown.Shown.Select(bundle => bundle.Plain));
        Assert.Null((await RunAsync("Tiny.Both.Value")).Error);
        Assert.Equal("20", _shown.Shown[^1].Plain);
    }

    [Fact]
    public async Task A_value_of_a_packages_type_can_be_the_first_thing_that_fsharp_sees()
    {
        TinyPackage.Write(Feed, "Tiny.Point", "1.0.0", TinyPackage.Compile("Tiny.Point", "namespace Tiny; public sealed class Point { public int X => 42; }"));
        Assert.Null((await RunAsync("#r \"nuget: Tiny.Point\"\nvar point = new Tiny.Point();")).Error);
        var result = await RunAsync("#!fsharp\n#!share point --from csharp\npoint.X");
        Assert.True(result.Error is null, string.Join('\n', result.Error?.Lines ?? []));
        Assert.Equal("42", _shown.Shown[^1].Plain);
    }

    [Fact]
    public async Task A_package_its_dependencies_and_its_extension_are_there_in_the_cell_that_asks()
    {
        var inner = TinyPackage.Compile("Tiny.Inner", "namespace Tiny; public static class Inner { public static int Value => 41; }");
        var outer = TinyPackage.Compile("Tiny.Outer", "namespace Tiny; public static class Outer { public static int Value => Inner.Value + 1; public static int Loaded; }", inner);
        TinyPackage.Write(Feed, "Tiny.Inner", "1.0.0", inner);
        TinyPackage.Write(Feed, "Tiny.Outer", "1.0.0", TinyPackage.Compile("Tiny.Outer", "namespace Tiny; public static class Old { }"));
        TinyPackage.Write(Feed, "Tiny.Outer", "1.2.0", outer, """<dependency id="Tiny.Inner" version="1.0.0" />""", "#!csharp\nTiny.Outer.Loaded++;\n#!markdown\nnot code");

        // Without a version the newest; the extension runs once.
        var result = await RunAsync("#r \"nuget: Tiny.Outer\"\nusing Tiny;\nvar value = Outer.Value;\n$\"{value} {Outer.Loaded} {System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(typeof(Inner).Assembly) == System.Runtime.Loader.AssemblyLoadContext.Default}\"");
        Assert.Null(result.Error);
        Assert.Equal(["Packages: Tiny.Outer 1.2.0", "42 1 True"], _shown.Shown.Select(bundle => bundle.Plain));

        // Asking again costs nothing; a package more leaves the types of earlier cells the same types.
        TinyPackage.Write(Feed, "Tiny.More", "1.0.0", TinyPackage.Compile("Tiny.More", "namespace Tiny; public static class More { public static int Value => 1; }"));
        Assert.Null((await RunAsync("#r \"nuget: Tiny.Outer, 1.2.0\"\n#r \"nuget: Tiny.More, 1.0.0\"\nvalue += More.Value + Outer.Value;")).Error);
        Assert.Null((await RunAsync("#r \"nuget: Tiny.More\"\n$\"{value} {Outer.Loaded}\"")).Error);
        Assert.Equal("85 1", _shown.Shown[^1].Plain);
        Assert.Equal(4, _shown.Shown.Count);

        // One process has one version.
        Assert.Contains("an earlier line asked for", (await RunAsync("#r \"nuget: Tiny.More, 2.0.0\"")).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_next_higher_version_is_taken_and_a_source_of_the_cell_is_used()
    {
        TinyPackage.Write(Path.Combine(_folder.Path, "other"), "Tiny.Elsewhere", "1.5.0", TinyPackage.Compile("Tiny.Elsewhere", "public static class Elsewhere { public static int Value => 5; }"));
        Assert.Null((await RunAsync("#i \"nuget: other\"\n#r \"nuget: Tiny.Elsewhere, 1.0.0\"\nElsewhere.Value")).Error);
        Assert.Equal(["Packages: Tiny.Elsewhere 1.5.0", "5"], _shown.Shown.Select(bundle => bundle.Plain));
    }

    [Fact]
    public async Task A_package_that_is_nowhere_is_an_error_with_nugets_reason()
    {
        var error = (await RunAsync("#r \"nuget: Tiny.Nowhere, 1.0.0\"\n1")).Error!;
        Assert.Contains("Tiny.Nowhere", error.Message, StringComparison.Ordinal);
        Assert.Contains("NU1101", error.Message, StringComparison.Ordinal);
        // The mistake is not carried on into the next cell.
        TinyPackage.Write(Feed, "Tiny.Somewhere", "1.0.0", TinyPackage.Compile("Tiny.Somewhere", "public static class Somewhere { public static int Value => 6; }"));
        Assert.Null((await RunAsync("#r \"nuget: Tiny.Somewhere, 1.0.0\"\nSomewhere.Value")).Error);
    }

    [Fact]
    public async Task A_file_is_referenced_relative_to_the_notebook_and_finds_its_neighbours()
    {
        var inner = TinyPackage.Compile("Tiny.Neighbour", "public static class Neighbour { public static int Value => 8; }");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "bin"));
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "bin", "Tiny.Neighbour.dll"), inner, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "bin", "Tiny.File.dll"),
            TinyPackage.Compile("Tiny.File", "public static class TinyFile { public static int Value => Neighbour.Value + 1; }", inner), TestContext.Current.CancellationToken);
        Assert.Null((await RunAsync("#r \"bin/Tiny.File.dll\"\nTinyFile.Value")).Error);
        Assert.Equal("9", _shown.Shown[^1].Plain);
    }

    [Fact]
    public async Task A_package_that_needs_a_newer_assembly_than_the_hosts_is_refused_by_name()
    {
        TinyPackage.Write(Feed, "System.CommandLine", "99.0.0",
            TinyPackage.Compile("System.CommandLine", "[assembly: System.Reflection.AssemblyVersion(\"99.0.0.0\")] public static class Newer { }"));
        var message = (await RunAsync("#r \"nuget: System.CommandLine, 99.0.0\"")).Error!.Message;
        Assert.Contains("System.CommandLine 99.0.0.0", message, StringComparison.Ordinal);
        Assert.Contains("host", message, StringComparison.Ordinal);
    }
}
