using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Jupyter;

/// <summary>Cells that loop, fail and ask, messages that are not right: what the kernel must survive.</summary>
public sealed class KernelFaultTests(KernelClient kernel) : IClassFixture<KernelClient>
{
    private static string Text(JsonNode? node) => node!.ToString();

    // Waits for a cell's text and gives back what came with it.
    private string Until(string text)
    {
        var all = "";
        while (!all.Contains(text, StringComparison.Ordinal))
            if (kernel.Receive("iopub") is ("stream", _, var content))
                all += Text(content["text"]);
        return all;
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("while (true) Console.WriteLine(\"again and again\");")]
    public void An_interrupt_stops_a_cell_while_hearts_beat_and_control_answers(string code)
    {
        var id = kernel.Send("shell", "execute_request", KernelClient.Code("var kept = 7; Console.WriteLine(\"looping\");\n" + code));
        Until("looping");
        Assert.True(kernel.Beats());
        Assert.Equal("ok", Text(kernel.Ask("control", "kernel_info_request")["status"]));
        Assert.Equal("ok", Text(kernel.Ask("control", "interrupt_request")["status"]));
        Assert.Contains(kernel.Outputs(id), output => output.Type == "error" && Text(output.Content["ename"]) == "Interrupted");
        Assert.Equal("error", Text(kernel.Reply("shell", id).Content["status"]));
        Assert.Equal("7", kernel.Value("kept"));
    }

    [Fact]
    public void An_interrupt_between_cells_does_nothing()
    {
        kernel.Ask("control", "interrupt_request");
        Assert.Equal("1", kernel.Value("1"));
    }

    [Fact]
    public void A_failure_aborts_what_waits_unless_the_request_says_otherwise()
    {
        foreach (var stop in new[] { true, false })
        {
            var first = kernel.Send("shell", "execute_request", KernelClient.Code("Console.WriteLine(Kernel.GetInputAsync().Result); throw new Exception(\"first\");", ("stop_on_error", stop)));
            var question = kernel.Receive("stdin");
            var waiting = Enumerable.Range(0, 3).Select(i => kernel.Send("shell", "execute_request", KernelClient.Code($"{i}"))).ToArray();
            var asked = kernel.Send("shell", "kernel_info_request");
            kernel.Ask("control", "kernel_info_request"); // what was sent before has arrived
            kernel.Send("stdin", "input_reply", new JsonObject { ["value"] = "go on" });
            Assert.Equal(first, question.Parent);
            Assert.Equal("error", Text(kernel.Reply("shell", first).Content["status"]));
            foreach (var id in waiting)
                Assert.Equal((id, stop ? "aborted" : "ok"), kernel.Receive("shell") is var (_, p, c) ? (p, Text(c["status"])) : default);
            Assert.Equal((asked, "ok"), kernel.Receive("shell") is var (_, p2, c2) ? (p2, Text(c2["status"])) : default);
        }
        Assert.Equal("1", kernel.Value("1"));
    }

    [Fact]
    public void A_message_signed_wrong_or_sent_twice_is_dropped()
    {
        kernel.Execute("int runs = 0;");
        kernel.Send("shell", "execute_request", KernelClient.Code("runs += 100;"), key: "another key");
        kernel.Send("control", "shutdown_request", new JsonObject { ["restart"] = false }, key: "");
        kernel.Send("shell", [[], [1, 2, 3], [4]]);
        var frames = KernelClient.Frames("execute_request", KernelClient.Code("runs++;"));
        kernel.Send("shell", frames);
        kernel.Send("shell", frames);
        Assert.Equal("ok", Text(kernel.Reply("shell", JsonNode.Parse(frames[2])!["msg_id"]!.ToString()).Content["status"]));
        Assert.Equal("1", kernel.Value("runs"));
    }

    [Fact]
    public void An_exception_on_another_thread_is_shown_and_the_session_goes_on()
    {
        var outputs = kernel.Execute("var survivor = 5;\nvar thread = new System.Threading.Thread(() => throw new InvalidOperationException(\"astray\"));\nthread.Start(); thread.Join();").Outputs;
        var text = string.Concat(outputs.Where(o => o.Type == "stream" && Text(o.Content["name"]) == "stderr").Select(o => Text(o.Content["text"])));
        Assert.Contains("InvalidOperationException: astray", text, StringComparison.Ordinal);
        Assert.Contains(", line 2: ", text, StringComparison.Ordinal);
        Assert.Equal("5", kernel.Value("survivor"));
    }

    [Fact]
    public void A_cell_that_throws_or_recurs_without_end_keeps_the_others_variables()
    {
        kernel.Execute("var survivor = 6;");
        Assert.Equal("DivideByZeroException", Text(kernel.Execute("var zero = 0;\nsurvivor / zero").Reply["ename"]));
        Assert.Equal("InsufficientExecutionStackException", Text(kernel.Execute("int Deep(int n) => 1 + Deep(n + 1);\nDeep(0)").Reply["ename"]));
        Assert.Equal("6", kernel.Value("survivor"));
    }

    [Fact]
    public void A_cell_may_allocate_four_gigabytes()
    {
        Assert.Equal("4", kernel.Value("var kept = 4;\nlong Bytes() => Enumerable.Range(0, 4).Select(_ => new byte[1 << 30]).ToArray().Sum(part => (long)part.Length);\nBytes() >> 30"));
        Assert.Equal("4", kernel.Value("kept"));
    }

    [Fact]
    public void A_cell_that_runs_out_of_memory_fails_and_keeps_the_others_variables()
    {
        using var small = new KernelClient("csharp", parent: null, ("DOTNET_GCHeapHardLimit", "30000000")); // 768 MB, in hexadecimal
        small.Execute("var survivor = 9;");
        var (reply, outputs) = small.Execute("long Fill()\n{\n    var all = new List<byte[]>();\n    for (var i = 0; i < 4096; i++) all.Add(new byte[1 << 20]);\n    return all.Count;\n}\nFill()");
        Assert.Equal("OutOfMemoryException", Text(reply["ename"]));
        Assert.Equal("error", Assert.Single(outputs).Type);
        Assert.Equal("9", small.Value("survivor"));
    }

    [Fact]
    public void A_cell_asks_for_text_and_for_passwords()
    {
        var id = kernel.Send("shell", "execute_request", KernelClient.Code("Console.Write(\"Name? \");\nvar name = Console.ReadLine();\nvar word = await Kernel.GetInputAsync(\"Word\", isPassword: true);\n$\"{name} {word}\""));
        var (type, parent, first) = kernel.Receive("stdin");
        Assert.Equal(("input_request", id, "", false), (type, parent, Text(first["prompt"]), (bool)first["password"]!));
        Until("Name? "); // what was printed before the question came before it
        kernel.Send("stdin", "input_reply", new JsonObject { ["value"] = "Ada" });
        var second = kernel.Receive("stdin").Content;
        Assert.Equal(("Word", true), (Text(second["prompt"]), (bool)second["password"]!));
        kernel.Send("stdin", "input_reply", new JsonObject { ["value"] = "secret" });
        Assert.Equal("Ada secret", Text(kernel.Outputs(id)[^1].Content["data"]!["text/plain"]));
        Assert.Equal("ok", Text(kernel.Reply("shell", id).Content["status"]));
    }

    [Fact]
    public void A_cell_that_asks_where_nobody_answers_fails()
    {
        var reply = kernel.Execute("Console.ReadLine()", ("allow_stdin", false)).Reply;
        Assert.Contains("allow_stdin", Text(reply["evalue"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Console.ReadLine()")]
    [InlineData("await Kernel.GetInputAsync()")]
    public void A_question_is_given_up_by_an_interrupt_and_a_late_answer_is_nobodys(string code)
    {
        var id = kernel.Send("shell", "execute_request", KernelClient.Code(code));
        kernel.Receive("stdin");
        kernel.Ask("control", "interrupt_request");
        Assert.Equal("error", kernel.Outputs(id)[^1].Type);
        Assert.Equal("error", Text(kernel.Reply("shell", id).Content["status"]));
        kernel.Send("stdin", "input_reply", new JsonObject { ["value"] = "late" });
        var next = kernel.Send("shell", "execute_request", KernelClient.Code("Console.ReadLine()"));
        kernel.Receive("stdin");
        kernel.Send("stdin", "input_reply", new JsonObject { ["value"] = "right" });
        Assert.Equal("right", Text(kernel.Outputs(next)[^1].Content["data"]!["text/plain"]));
    }
}
