using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Tests.Documents;

public sealed class DibNotebookTests
{
    private const string Text = "#!meta\n\n{\"kernelInfo\":{\"defaultKernelName\":\"csharp\",\"items\":[{\"name\":\"csharp\"}]}}\n\n#!markdown\n\n# Title\n\ntext\n\n#!csharp\n\n// parameters\nint steps = 3;\n\n#!F#\n\nlet x = 1\n#!time\n\nx\n\n#!html\n\n<b>x</b>\n";

    [Fact]
    public void Lines_of_languages_begin_cells_and_the_metadata_names_the_notebooks_language()
    {
        var document = DibNotebook.Parse(Text, "a.dib");
        Assert.Equal("C#", document.Language);
        Assert.Equal(["# Title\n\ntext", "// parameters\nint steps = 3;", "let x = 1\n#!time\n\nx", "<b>x</b>"], document.Cells.Select(cell => cell.Source));
        Assert.Equal([true, false, false, false], document.Cells.Select(cell => cell.IsMarkdown));
        Assert.Equal([null, null, "fsharp", "html"], document.Cells.Select(cell => cell.Language));
        Assert.Equal(["parameters"], document.Cells[1].Tags);
        NotebookDocumentTests.AssertValid(document.ToString());
    }

    [Fact]
    public void Windows_line_ends_and_a_byte_order_mark_change_nothing() =>
        Assert.Equal(DibNotebook.Parse(Text, "a.dib").ToString(), DibNotebook.Parse("\uFEFF" + Text.Replace("\n", "\r\n", StringComparison.Ordinal), "a.dib").ToString());

    [Fact]
    public void Without_a_line_before_it_code_is_in_the_notebooks_language()
    {
        Assert.Equal("1 + 1", Assert.Single(DibNotebook.Parse("1 + 1", "a.dib").Cells).Source);
        var document = DibNotebook.Parse("#!meta\n{\"kernelInfo\":{\"defaultKernelName\":\"fsharp\"}}\n#!fsharp\n1\n#!csharp\n2", "a.dib");
        Assert.Equal("F#", document.Language);
        Assert.Equal([null, "csharp"], document.Cells.Select(cell => cell.Language));
    }

    [Theory]
    [InlineData("", "no cell")]
    [InlineData("#!meta\n{", "not JSON")]
    [InlineData("#!meta\n[]\n#!csharp\n1", "not an object")]
    [InlineData("#!meta\n{\"kernelInfo\":{\"defaultKernelName\":\"pwsh\"}}\n#!csharp\n1", "pwsh")]
    public void What_is_no_such_notebook_is_refused_by_name(string text, string named)
    {
        var message = Assert.Throws<NotebookFormatException>(() => DibNotebook.Parse(text, "a.dib")).Message;
        Assert.StartsWith("a.dib", message, StringComparison.Ordinal);
        Assert.Contains(named, message, StringComparison.Ordinal);
    }
}
