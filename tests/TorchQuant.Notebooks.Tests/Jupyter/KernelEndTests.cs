using System.Diagnostics;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Jupyter;

/// <summary>The ways in which a kernel ends, each with a kernel of its own.</summary>
public sealed class KernelEndTests : IDisposable
{
    private readonly KernelClient _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [Theory]
    [InlineData(false, "1")]
    [InlineData(true, "while (true) { }")]
    [InlineData(true, "new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.In).ReadByte();")]
    public async Task A_shutdown_is_answered_announced_and_obeyed_also_while_a_cell_runs(bool restart, string code)
    {
        _kernel.Send("shell", "execute_request", KernelClient.Code("Console.WriteLine(\"runs\");\n" + code));
        while (_kernel.Receive("iopub").Type != "stream")
        {
        }
        var reply = _kernel.Ask("control", "shutdown_request", new JsonObject { ["restart"] = restart });
        Assert.Equal(("ok", restart), (reply["status"]!.ToString(), (bool)reply["restart"]!));
        while (_kernel.Receive("iopub") is var (type, _, _) && type != "shutdown_reply")
        {
        }
        await _kernel.Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Equal(0, _kernel.Process.ExitCode);
    }

    [Fact]
    public async Task A_cell_that_ends_the_process_says_so_before_it_does()
    {
        var (reply, outputs) = _kernel.Execute("Console.WriteLine(\"before\");\nEnvironment.Exit(0);");
        Assert.Equal(["stream", "error"], outputs.Select(output => output.Type));
        Assert.Contains("Environment.Exit", outputs[1].Content["evalue"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("KernelEnded", reply["ename"]!.ToString());
        await _kernel.Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Signals_interrupt_and_end_it()
    {
        if (OperatingSystem.IsWindows()) return; // no signals to send there
        var id = _kernel.Send("shell", "execute_request", KernelClient.Code("Console.WriteLine(\"runs\"); while (true) { }"));
        while (_kernel.Receive("iopub").Type != "stream")
        {
        }
        await SignalAsync("-INT");
        Assert.Equal("error", _kernel.Outputs(id)[^1].Type);
        Assert.Equal("2", _kernel.Value("1 + 1"));
        await SignalAsync("-TERM");
        await _kernel.Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Equal(0, _kernel.Process.ExitCode);
    }

    [Fact]
    public async Task It_does_not_outlive_the_program_that_started_it()
    {
        if (OperatingSystem.IsWindows()) return; // there the variable holds a handle
        using var parent = Process.Start("sleep", "1000");
        using var kernel = new KernelClient("csharp", parent.Id);
        Assert.False(kernel.Process.HasExited);
        parent.Kill();
        await parent.WaitForExitAsync(TestContext.Current.CancellationToken);
        await kernel.Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Equal(0, kernel.Process.ExitCode);
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_kernel.Process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
