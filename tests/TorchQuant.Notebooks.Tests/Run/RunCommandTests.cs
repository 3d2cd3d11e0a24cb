using System.CommandLine;
using TorchQuant.Notebooks.Run;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Run;

public sealed class RunCommandTests
{
    [Theory]
    [InlineData("There is no file", "missing.ipynb")]
    [InlineData("JSON", "text.ipynb")]
    [InlineData("python", "python.ipynb")]
    [InlineData("no code cell tagged 'parameters'", "plain.ipynb", "--param", "a=1")]
    [InlineData("name=value", "plain.ipynb", "--param", "a")]
    [InlineData("above 0", "plain.ipynb", "--timeout", "0")]
    public async Task A_wrong_command_line_or_file_runs_nothing(string named, string notebook, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        folder.Write("text.ipynb", "no notebook");
        folder.Write("plain.ipynb", NotebookJson.Of("1"));
        folder.Write("python.ipynb", NotebookJson.Of("1").Replace("C#", "python", StringComparison.Ordinal));
        var results = Path.Combine(folder.Path, "out");
        Assert.Contains(named, await RefusalAsync([Path.Combine(folder.Path, notebook), "--out", results, .. arguments]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(results));
    }

    [Fact]
    public async Task The_notebooks_own_folder_is_no_place_for_results()
    {
        using var folder = new TemporaryFolder();
        var notebook = folder.Write("plain.ipynb", NotebookJson.Of("1"));
        Assert.Contains("own folder", await RefusalAsync(notebook, "--out", folder.Path), StringComparison.Ordinal);
        Assert.Equal([notebook], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Results_that_cannot_be_written_are_refused_before_a_cell_runs()
    {
        using var folder = new TemporaryFolder();
        var notebook = folder.Write("plain.ipynb", NotebookJson.Of("System.IO.File.WriteAllText(\"ran\", \"\");"));
        var file = folder.Write("file", "");
        Assert.Contains("--out", await RefusalAsync(notebook, "--out", file), StringComparison.Ordinal);
        Assert.Contains("--out", await RefusalAsync(notebook, "--out", Path.Combine(file, "inner")), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder.Path, "ran")));
    }

    private static async Task<string> RefusalAsync(params string[] arguments)
    {
        using var errors = new StringWriter();
        var exitCode = await new RootCommand { RunCommand.Create() }.Parse(["run", .. arguments])
            .InvokeAsync(new InvocationConfiguration { Error = errors }, TestContext.Current.CancellationToken);
        Assert.Equal(2, exitCode);
        return errors.ToString();
    }
}
