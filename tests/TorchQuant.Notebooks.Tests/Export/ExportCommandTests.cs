using System.CommandLine;
using TorchQuant.Notebooks.Export;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Export;

public sealed class ExportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private async Task<(int Code, string Said, string Errors)> RunAsync(params string[] arguments)
    {
        using var said = new StringWriter();
        using var errors = new StringWriter();
        var code = await new RootCommand { ExportCommand.Create() }.Parse(["export", .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = said, Error = errors }, TestContext.Current.CancellationToken);
        return (code, said.ToString(), errors.ToString());
    }

    [Fact]
    public async Task A_page_holds_the_outputs_and_forbids_itself_every_request()
    {
        var notebook = _folder.Write("n.ipynb", NotebookJson.Of("md:# Title", "1").Replace("\"outputs\":[]", "\"outputs\":[{\"output_type\":\"stream\",\"name\":\"stdout\",\"text\":\"printed\"}]", StringComparison.Ordinal));
        var (code, said, errors) = await RunAsync(notebook, "--html");
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(Path.Combine(_folder.Path, "n.html"), said.Trim());
        var page = await File.ReadAllTextAsync(said.Trim(), TestContext.Current.CancellationToken);
        Assert.Contains("printed</pre>", page, StringComparison.Ordinal);
        Assert.Contains("Content-Security-Policy\" content=\"default-src 'none'", page, StringComparison.Ordinal);
        Assert.DoesNotContain("connect-src", page, StringComparison.Ordinal); // so it is none
        Assert.DoesNotMatch("(src|href)=\"(https?:)?//", page);
    }

    [Fact]
    public async Task A_notebook_that_was_not_run_is_said_to_be_so()
    {
        var (code, _, errors) = await RunAsync(_folder.Write("n.ipynb", NotebookJson.Of("1", "2")), "--html");
        Assert.Equal(0, code);
        Assert.Contains("2 of 2 code cells were not executed", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#!csharp\n1", ".cs", "display(1);")]
    [InlineData("#!meta\n{\"kernelInfo\":{\"defaultKernelName\":\"fsharp\"}}\n#!fsharp\n1", ".fsx", "1\n|> show")]
    public async Task A_script_is_written_beside_the_notebook_in_its_language(string dib, string extension, string holds)
    {
        var notebook = _folder.Write("n.dib", dib);
        Assert.Equal(0, (await RunAsync(notebook, "--script")).Code);
        var script = Path.ChangeExtension(notebook, extension);
        Assert.Contains(holds, await File.ReadAllTextAsync(script, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(notebook, "--script")).Code); // its own file is renewed
    }

    [Fact]
    public async Task A_file_that_somebody_wrote_is_kept_unless_told()
    {
        var (notebook, other) = (_folder.Write("n.ipynb", NotebookJson.Of("1")), _folder.Write("mine.cs", "// mine"));
        var (code, _, errors) = await RunAsync(notebook, "--script", "--out", other);
        Assert.Equal(2, code);
        Assert.Contains("--force", errors, StringComparison.Ordinal);
        Assert.Equal("// mine", await File.ReadAllTextAsync(other, TestContext.Current.CancellationToken));
        Assert.Equal(0, (await RunAsync(notebook, "--script", "--out", other, "--force")).Code);
    }

    [Theory]
    [InlineData("missing.ipynb", "There is no file", "--html")]
    [InlineData("n.ipynb", "one of --html and --script")]
    [InlineData("n.ipynb", "one of --html and --script", "--html", "--script")]
    [InlineData("bad.ipynb", "JSON", "--html")]
    public async Task A_wrong_call_writes_nothing(string name, string named, params string[] options)
    {
        _folder.Write("n.ipynb", NotebookJson.Of("1"));
        _folder.Write("bad.ipynb", "no notebook");
        var (code, _, errors) = await RunAsync([Path.Combine(_folder.Path, name), .. options]);
        Assert.Equal(2, code);
        Assert.Contains(named, errors, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }
}
