using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Jupyter;

/// <summary>The kernel whose cells begin in F#. One kernel for all: no test relies on another's cells.</summary>
public sealed class FSharpKernelTests(FSharpKernelTests.Kernel fixture) : IClassFixture<FSharpKernelTests.Kernel>
{
    private readonly KernelClient _kernel = fixture.Client;

    private static string Text(JsonNode? node) => node!.ToString();

    [Fact]
    public void It_says_that_it_speaks_fsharp()
    {
        var language = _kernel.Ask("shell", "kernel_info_request")["language_info"]!;
        Assert.Equal(("F#", ".fs", "fsharp"), (Text(language["name"]), Text(language["file_extension"]), Text(language["pygments_lexer"])));
    }

    [Fact]
    public void Cells_print_display_and_give_results()
    {
        var outputs = _kernel.Execute("printfn \"a\"\nlet shown = display \"b\"\nshown.Update \"c\"\n[1; 2] |> List.sum").Outputs;
        Assert.Equal(["stream a\n", "display_data b", "update_display_data c", "execute_result 3"],
            outputs.Select(o => o.Type == "stream" ? $"stream {o.Content["text"]}" : $"{o.Type} {o.Content["data"]!["text/plain"]}"));
    }

    [Fact]
    public void Errors_name_cell_and_line()
    {
        var reply = _kernel.Execute("let fine = 1\nfailwith \"broken\" |> ignore").Reply;
        Assert.Contains($"Cell In[{reply["execution_count"]}], line 2: failwith \"broken\" |> ignore", reply["traceback"]!.AsArray().Select(Text));
        Assert.Equal("FS0039", Text(_kernel.Execute("nowhere").Reply["ename"]));
    }

    [Fact]
    public void A_loop_is_interrupted()
    {
        var id = _kernel.Send("shell", "execute_request", KernelClient.Code("printfn \"looping\"\nwhile true do System.Threading.Thread.Sleep 1"));
        while (_kernel.Receive("iopub").Type != "stream")
        {
        }
        _kernel.Ask("control", "interrupt_request");
        Assert.Equal("Interrupted", Text(_kernel.Outputs(id)[^1].Content["ename"]));
        Assert.Equal("2", _kernel.Value("1 + 1"));
    }

    [Fact]
    public void Expressions_completion_inspection_and_other_languages_are_there()
    {
        Assert.Equal("42", Text(_kernel.Execute("let half = 21", ("user_expressions", new JsonObject { ["all"] = "2 * half" })).Reply["user_expressions"]!["all"]!["data"]!["text/plain"]));
        Assert.Equal(["mapFoldBack"], _kernel.Ask("shell", "complete_request", KernelClient.Code("List.mapFoldB", ("cursor_pos", 13)))["matches"]!.AsArray().Select(Text));
        Assert.True((bool)_kernel.Ask("shell", "inspect_request", KernelClient.Code("List.map", ("cursor_pos", 8), ("detail_level", 0)))["found"]!);
        Assert.Equal("incomplete", Text(_kernel.Ask("shell", "is_complete_request", KernelClient.Code("let f x ="))["status"]));
        Assert.Equal("22", _kernel.Value("#!csharp\n#!share half --from fsharp\nhalf + 1"));
    }

    /// <summary>The kernel.</summary>
    public sealed class Kernel : IDisposable
    {
        public KernelClient Client { get; } = new("fsharp");

        public void Dispose() => Client.Dispose();
    }
}
