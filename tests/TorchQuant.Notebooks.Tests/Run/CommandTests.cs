using System.Diagnostics;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Tests.Documents;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Run;

/// <summary>The built program, run as users run it, in a process of its own.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Process Start(params string[] arguments)
    {
        var start = TestedProgram.With(["run", .. arguments]);
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = (_folder.Path, true, true);
        return Process.Start(start)!;
    }

    private async Task<(int ExitCode, string Said)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        return await EndAsync(process);
    }

    private static async Task<(int ExitCode, string Said)> EndAsync(Process process)
    {
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }

    private NotebookDocument Executed(string name) => NotebookDocument.Load(Path.Combine(_folder.Path, "out", name, name + ".ipynb"));

    [Fact]
    public async Task A_notebook_is_executed_and_leaves_notebook_page_and_its_own_files()
    {
        _folder.Write("work/data.txt", "from beside the notebook");
        var source = NotebookJson.Of(
            "md:# A small notebook", "parameters:bool quick = false; int steps = 3;",
            """
            using System.IO;
            var folder = Environment.GetEnvironmentVariable("TORCHQUANT_OUT") ?? ".";
            File.WriteAllText(Path.Combine(folder, "metrics.json"), $"{{\"steps\": {steps}}}");
            Console.WriteLine(File.ReadAllText("data.txt"));
            quick
            """);
        var notebook = _folder.Write("work/small.ipynb", source);
        _folder.Write("out/small/metrics.json", "old");

        var (exitCode, said) = await RunAsync(notebook, "--param", "quick=true", "--param", "steps=5");

        Assert.True(exitCode == 0, said);
        Assert.Contains("[1/3] A small notebook ... ", said, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("out", "small", "metrics.json"), said, StringComparison.Ordinal);
        Assert.Equal(source, await File.ReadAllTextAsync(notebook, TestContext.Current.CancellationToken));
        var result = Path.Combine(_folder.Path, "out", "small");
        Assert.Equal(5, (int)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(result, "metrics.json"), TestContext.Current.CancellationToken))!["steps"]!);
        Assert.Contains("from beside the notebook", await File.ReadAllTextAsync(Path.Combine(result, "small.html"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var executed = Executed("small");
        NotebookDocumentTests.AssertValid(executed.ToString());
        Assert.Equal([1, 2, 3], executed.Cells.Where(cell => cell.IsCode).Select(cell => cell.ExecutionCount));
        Assert.Equal(["injected-parameters"], executed.Cells[2].Tags);
        Assert.Equal("True", MultilineText.Read(executed.Cells[3].Outputs[^1]!["data"]!["text/plain"]));

        // An executed notebook can be run again: the cell of set values is replaced, not doubled.
        var again = _folder.Write("again/small.ipynb", executed.ToString());
        _folder.Write("again/data.txt", "");
        Assert.Equal(0, (await RunAsync(again, "--param", "steps=6")).ExitCode);
        Assert.Equal("// Set by --param\nsteps = 6;", Executed("small").Cells[2].Source);
        Assert.Equal(4, Executed("small").Cells.Count);
    }

    [Fact]
    public async Task A_notebook_of_fsharp_takes_parameters_and_shares_with_csharp()
    {
        _folder.Write("sea.ipynb", NotebookJson.Of("parameters:let quick = false\nlet steps = 3\nlet rate = 0.5\nlet name = \"\"", "sprintf \"%b %d %g %s\" quick steps rate name", "#!csharp\n#!share steps --from fsharp\nsteps + 1")
            .Replace("C#", "F#", StringComparison.Ordinal).Replace(".net-csharp", "torchquant-fsharp", StringComparison.Ordinal));
        var (exitCode, said) = await RunAsync("sea.ipynb", "--param", "quick=true", "--param", "steps=-5", "--param", "rate=2", "--param", "name=a \"b\" \\ c");
        Assert.True(exitCode == 0, said);
        var cells = Executed("sea").Cells;
        Assert.Equal("true -5 2 a \"b\" \\ c", MultilineText.Read(cells[2].Outputs[0]!["data"]!["text/plain"]));
        Assert.Equal("-4", MultilineText.Read(cells[3].Outputs[^1]!["data"]!["text/plain"]));
    }

    [Fact]
    public async Task A_failing_cell_ends_the_run_with_its_cell_line_and_outputs_so_far()
    {
        _folder.Write("bad.ipynb", NotebookJson.Of("1", "Console.WriteLine(\"before\");\n\nthrow new InvalidOperationException(\"broken\");", "\"never\""));
        var (exitCode, said) = await RunAsync("bad.ipynb");
        Assert.Equal(1, exitCode);
        Assert.Contains("Cell 2, line 3: InvalidOperationException: broken", said, StringComparison.Ordinal);
        var cells = Executed("bad").Cells;
        NotebookDocumentTests.AssertValid(Executed("bad").ToString());
        Assert.Equal(["stream", "error"], cells[1].Outputs.Select(output => output!["output_type"]!.ToString()));
        Assert.Null(cells[2].ExecutionCount);
        Assert.True(File.Exists(Path.Combine(_folder.Path, "out", "bad", "bad.html")));
    }

    [Theory]
    [InlineData("Environment.Exit(0);", "Environment.Exit")]
    [InlineData("var t = new System.Threading.Thread(() => throw new InvalidOperationException(\"astray\")); t.Start(); t.Join();", "astray")]
    public async Task A_cell_that_ends_the_process_is_a_failure_and_loses_no_output(string code, string named)
    {
        _folder.Write("end.ipynb", NotebookJson.Of("Console.WriteLine(\"before\");\n" + code));
        var (exitCode, said) = await RunAsync("end.ipynb");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Cell 1 was stopped", said, StringComparison.Ordinal);
        Assert.Contains(named, said, StringComparison.Ordinal);
        Assert.Equal("before\n", MultilineText.Read(Executed("end").Cells[0].Outputs[0]!["text"]));
        Assert.Contains(named, await File.ReadAllTextAsync(Path.Combine(_folder.Path, "out", "end", "end.html"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_time_limit_stops_a_cell_that_never_ends()
    {
        _folder.Write("loop.ipynb", NotebookJson.Of("Console.WriteLine(\"before\");\nwhile (true) { }"));
        var (exitCode, said) = await RunAsync("loop.ipynb", "--timeout", "5");
        Assert.Equal(1, exitCode);
        Assert.Contains("time limit of 5 s", said, StringComparison.Ordinal);
        Assert.Equal("Stopped", Executed("loop").Cells[0].Outputs[^1]!["ename"]!.ToString());
    }

    [Fact]
    public async Task An_interrupt_stops_the_run_and_writes_what_there_is()
    {
        if (OperatingSystem.IsWindows()) return; // no signal to send there
        _folder.Write("wait.ipynb", NotebookJson.Of("Console.WriteLine(\"ready\");\nawait Task.Delay(-1);"));
        using var process = Start("wait.ipynb");
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && line != "ready")
        {
        }
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        var (exitCode, said) = await EndAsync(process);
        Assert.Equal(130, exitCode);
        Assert.Contains("interrupted", said, StringComparison.Ordinal);
        Assert.Equal("ready\n", MultilineText.Read(Executed("wait").Cells[0].Outputs[0]!["text"]));
    }

    [Fact]
    public async Task Several_notebooks_run_apart_and_one_failure_fails_the_whole()
    {
        _folder.Write("a.ipynb", NotebookJson.Of("int same = 1;\nthrow new Exception(\"a\");"));
        _folder.Write("b.ipynb", NotebookJson.Of("same"));
        _folder.Write("c.ipynb", NotebookJson.Of("\"third\""));
        var (exitCode, said) = await RunAsync("a.ipynb", "b.ipynb", "c.ipynb");
        Assert.Equal(1, exitCode);
        Assert.Contains("2 of 3 notebooks failed: a.ipynb, b.ipynb.", said, StringComparison.Ordinal);
        Assert.Equal("third", MultilineText.Read(Executed("c").Cells[0].Outputs[0]!["data"]!["text/plain"]));
    }

    [Fact]
    public async Task A_notebook_of_text_runs_like_one_of_json_and_is_written_as_one()
    {
        _folder.Write("t.dib", "#!meta\n{\"kernelInfo\":{\"defaultKernelName\":\"fsharp\"}}\n#!markdown\n# Title\n#!fsharp\n// parameters\nlet steps = 1\n#!fsharp\nsteps + 1\n#!csharp\n#!share steps --from fsharp\nsteps * 10\n#!csharp\n\nint a = 1;\n\nthrow new Exception(\"at the end\");");
        var (exitCode, said) = await RunAsync("t.dib", "--param", "steps=4");
        Assert.Equal(1, exitCode);
        Assert.Contains("Cell 5, line 3: Exception: at the end", said, StringComparison.Ordinal);
        NotebookDocumentTests.AssertValid(Executed("t").ToString());
        Assert.Equal(["5", "40"], Executed("t").Cells.Skip(3).Take(2).Select(cell => MultilineText.Read(cell.Outputs[^1]!["data"]!["text/plain"])));
    }

    [Fact]
    public async Task Notebooks_of_one_name_do_not_overwrite_each_others_results()
    {
        _folder.Write("a/n.ipynb", NotebookJson.Of("1"));
        _folder.Write("b/n.ipynb", NotebookJson.Of("1"));
        var (exitCode, said) = await RunAsync("a/n.ipynb", "b/n.ipynb");
        Assert.Equal(2, exitCode);
        Assert.Contains("a/n.ipynb and b/n.ipynb", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--timeout", "abc")]
    [InlineData("--parm", "a=1")]
    public async Task A_command_line_that_is_not_understood_ends_with_the_code_for_a_wrong_call(string option, string value) =>
        Assert.Equal(2, (await RunAsync("plain.ipynb", option, value)).ExitCode);

    [Fact]
    public async Task An_unknown_parameter_fails_with_the_parameters_there_are()
    {
        _folder.Write("p.ipynb", NotebookJson.Of("parameters:bool quick = false;", "1"));
        var (exitCode, said) = await RunAsync("p.ipynb", "--param", "quik=true");
        Assert.Equal(1, exitCode);
        Assert.Contains("quick (bool)", said, StringComparison.Ordinal);
    }
}
