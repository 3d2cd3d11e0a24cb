using FsCheck.Xunit;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Tests.Engine;

public sealed class CellTextTests
{
    [Fact]
    public void A_cell_is_cut_at_its_magic_commands_and_lines_keep_their_numbers()
    {
        var segments = CellSegment.Split("var a = 1;\n#!markdown\ntext\n#!csharp\na", CellLanguage.CSharp);
        Assert.Equal(
            [new(CellLanguage.CSharp, "var a = 1;", 0, 0), new(CellLanguage.Markdown, "\n\ntext", 2, 22), new(CellLanguage.CSharp, "\n\n\n\na", 4, 36)],
            segments);
    }

    [Property]
    public void Directives_leave_every_other_line_as_it_is(string[] lines)
    {
        var code = string.Join('\n', lines.Select(line => "// " + line?.ReplaceLineEndings(" ").Replace('\n', ' ').Replace('\u0085', ' ').Replace('\u2028', ' ').Replace('\u2029', ' ')));
        var directives = CellDirectives.Parse("#r \"nuget: A.B, 1.0\"\n" + code, CellLanguage.CSharp);
        Assert.Equal("\n" + code, directives.Code);
        Assert.Equal([new PackageRequest("A.B", "1.0")], directives.Packages);
    }

    [Theory]
    [InlineData("TorchSharp-cpu, 0.107.0", "TorchSharp-cpu", "0.107.0")]
    [InlineData(" X.Y ", "X.Y", null)]
    [InlineData("X,*-*", "X", "*-*")]
    [InlineData("X, [1.0, 2.0)", "X", "[1.0, 2.0)")]
    public void Packages_are_read_with_and_without_version(string text, string id, string? version) =>
        Assert.Equal(new PackageRequest(id, version), PackageRequest.Parse(text, 1));

    [Fact]
    public void A_directive_in_a_comment_or_a_raw_string_is_text()
    {
        var code = "/*\n#r \"nuget: A\"\n*/\nvar s = \"\"\"\n#r \"nuget: B\"\n\"\"\";";
        var directives = CellDirectives.Parse(code, CellLanguage.CSharp);
        Assert.Empty(directives.Packages);
        Assert.Equal(code, directives.Code);
    }

    [Fact]
    public void Sources_files_and_packages_are_told_apart()
    {
        var directives = CellDirectives.Parse("#i \"nuget: ./feed\"\n#r \"nuget: A\" // why\n#r \"bin/X.dll\"\n#r \"System.Xml\"\nvar a = 1;", CellLanguage.CSharp);
        Assert.Equal(["./feed"], directives.Sources);
        Assert.Equal([new PackageRequest("A", null)], directives.Packages);
        Assert.Equal([new AssemblyRequest("bin/X.dll", 3)], directives.Assemblies);
        Assert.Equal("\n\n\n#r \"System.Xml\"\nvar a = 1;", directives.Code);
    }

    [Fact]
    public void Of_an_extension_script_only_the_csharp_cells_are_run()
    {
        Assert.Equal("\n\n\n\n\nvar a = 1;\n\n", ExtensionScript.CSharpOf("#!meta\n\n{\"kernelInfo\":{}}\n\n#!csharp\nvar a = 1;\n#!markdown\ntext"));
        Assert.Equal("var a = 1;", ExtensionScript.CSharpOf("var a = 1;"));
    }
}
