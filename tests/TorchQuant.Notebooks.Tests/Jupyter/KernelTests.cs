using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Jupyter;

/// <summary>What a front end sees of a kernel that runs cells. One kernel for all: no test relies on another's cells.</summary>
public sealed class KernelTests(KernelClient kernel) : IClassFixture<KernelClient>
{
    private static string Text(JsonNode? node) => node!.ToString();

    [Fact]
    public void The_kernel_says_what_it_is()
    {
        var info = kernel.Ask("shell", "kernel_info_request");
        Assert.Equal(("ok", "5.4", "C#", ".cs"), (Text(info["status"]), Text(info["protocol_version"]), Text(info["language_info"]!["name"]), Text(info["language_info"]!["file_extension"])));
        Assert.Equal("ok", Text(kernel.Ask("control", "kernel_info_request")["status"]));
        Assert.Equal("{}", kernel.Ask("shell", "comm_info_request")["comms"]!.ToJsonString());
    }

    [Fact]
    public void A_result_carries_the_number_that_the_reply_and_the_input_have()
    {
        var id = kernel.Send("shell", "execute_request", KernelClient.Code("20 + 1"));
        var outputs = kernel.Outputs(id);
        var reply = kernel.Reply("shell", id).Content;
        Assert.Equal(["execute_input", "execute_result"], outputs.Select(output => output.Type));
        Assert.Equal("20 + 1", Text(outputs[0].Content["code"]));
        Assert.Equal("21", Text(outputs[1].Content["data"]!["text/plain"]));
        Assert.All(outputs, output => Assert.Equal((int)reply["execution_count"]!, (int)output.Content["execution_count"]!));
        var next = kernel.Execute("1").Reply;
        Assert.Equal((int)reply["execution_count"]! + 1, (int)next["execution_count"]!);
    }

    [Fact]
    public void Text_displays_and_results_come_in_the_order_in_which_they_were_made()
    {
        var outputs = kernel.Execute("Console.Write(\"a\"); Console.WriteLine(\"b\"); Console.Error.Write(\"c\"); display(\"d\"); Console.Write(\"e\"); \"f\"").Outputs;
        Assert.Equal(["stream stdout ab\n", "stream stderr c", "display_data d", "stream stdout e", "execute_result f"],
            outputs.Select(o => o.Type == "stream" ? $"stream {o.Content["name"]} {o.Content["text"]}" : $"{o.Type} {o.Content["data"]!["text/plain"]}"));
    }

    [Fact]
    public void A_hundred_thousand_lines_all_arrive_in_order()
    {
        var outputs = kernel.Execute("for (var i = 0; i < 100_000; i++) Console.WriteLine(i);").Outputs;
        Assert.All(outputs, output => Assert.Equal("stream", output.Type));
        Assert.Equal(string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i}\n")), string.Concat(outputs.Select(output => Text(output.Content["text"]))));
        Assert.InRange(outputs.Count, 1, 10_000); // not a message a line
    }

    [Fact]
    public void A_display_is_updated_under_its_id_also_from_a_later_cell()
    {
        var (_, first) = kernel.Execute("var shown = display(\"start\"); shown.Update(\"half\");");
        var (_, second) = kernel.Execute("shown.Update(\"end\");");
        var all = first.Concat(second).ToArray();
        Assert.Equal(["display_data start", "update_display_data half", "update_display_data end"], all.Select(o => $"{o.Type} {o.Content["data"]!["text/plain"]}"));
        Assert.Single(all.Select(o => Text(o.Content["transient"]!["display_id"])).Distinct());
    }

    [Fact]
    public void Json_is_sent_as_json_and_other_forms_as_strings()
    {
        var data = kernel.Execute("\"{\\\"a\\\": [1]}\".DisplayAs(\"application/json\"); \"<svg/>\".DisplayAs(\"image/svg+xml\");").Outputs.Select(o => o.Content["data"]!).ToArray();
        Assert.Equal(1, (int)data[0]["application/json"]!["a"]![0]!);
        Assert.Equal("<svg/>", Text(data[1]["image/svg+xml"]));
    }

    [Fact]
    public void An_exception_names_cell_and_line_in_the_form_that_front_ends_link()
    {
        var (reply, outputs) = kernel.Execute("var before = 1;\nthrow new InvalidOperationException(\"broken\");");
        Assert.Equal(("error", "InvalidOperationException", "broken"), (Text(reply["status"]), Text(reply["ename"]), Text(reply["evalue"])));
        var (type, error) = Assert.Single(outputs);
        Assert.Equal("error", type);
        Assert.Equal(["InvalidOperationException: broken", $"Cell In[{reply["execution_count"]}], line 2: throw new InvalidOperationException(\"broken\");"], error["traceback"]!.AsArray().Select(Text));
        Assert.Equal("1", kernel.Value("before"));
    }

    [Fact]
    public void Code_that_does_not_compile_says_where()
    {
        var (reply, _) = kernel.Execute("int a = 1;\nint b = nowhere;");
        Assert.Equal("CS0103", Text(reply["ename"]));
        Assert.Contains($"Cell In[{reply["execution_count"]}], line 2: CS0103", string.Join('\n', reply["traceback"]!.AsArray().Select(Text)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_silent_request_shows_nothing_and_counts_nothing()
    {
        var before = (int)kernel.Execute("0").Reply["execution_count"]!;
        var id = kernel.Send("shell", "execute_request", KernelClient.Code("Console.WriteLine(\"x\"); display(\"y\"); var quiet = 3; quiet", ("silent", true)));
        Assert.Empty(kernel.Outputs(id));
        Assert.Equal(("ok", before), (Text(kernel.Reply("shell", id).Content["status"]), (int)kernel.Execute("", ("store_history", false)).Reply["execution_count"]!));
        Assert.Equal("3", kernel.Value("quiet"));
    }

    [Fact]
    public void A_request_that_is_not_stored_is_shown_but_neither_counted_nor_remembered()
    {
        var before = (int)kernel.Execute("\"stored\"").Reply["execution_count"]!;
        var (reply, outputs) = kernel.Execute("\"not stored\"", ("store_history", false));
        Assert.Equal("not stored", Text(outputs.Single().Content["data"]!["text/plain"]));
        Assert.Equal(before, (int)reply["execution_count"]!);
        Assert.Equal("\"stored\"", Text(History(("hist_access_type", "tail"), ("n", 1))[0]![2]));
    }

    [Fact]
    public void User_expressions_are_evaluated_after_the_cell()
    {
        var asked = new JsonObject { ["sum"] = "number + 1", ["wrong"] = "nowhere" };
        var values = kernel.Execute("var number = 41;", ("user_expressions", asked)).Reply["user_expressions"]!;
        Assert.Equal(("ok", "42"), (Text(values["sum"]!["status"]), Text(values["sum"]!["data"]!["text/plain"])));
        Assert.Equal(("error", "CS0103"), (Text(values["wrong"]!["status"]), Text(values["wrong"]!["ename"])));
    }

    [Fact]
    public void The_history_is_found_by_place_by_number_and_by_pattern()
    {
        var number = (int)kernel.Execute("\"history one\"").Reply["execution_count"]!;
        kernel.Execute("\"history two\"");
        kernel.Execute("\"history two\"");
        Assert.Equal(["\"history one\"", "\"history two\"", "\"history two\""], History(("hist_access_type", "tail"), ("n", 3)).Select(entry => Text(entry![2])));
        var range = History(("hist_access_type", "range"), ("session", 0), ("start", number), ("stop", number + 1), ("output", true));
        Assert.Equal(["\"history one\"", "history one"], Assert.Single(range)![2]!.AsArray().Select(Text));
        Assert.Equal(2, History(("hist_access_type", "search"), ("pattern", "*history ???\""), ("n", 2)).Count);
        Assert.Equal(2, History(("hist_access_type", "search"), ("pattern", "\"history*"), ("unique", true)).Count);
    }

    private JsonArray History(params (string Name, JsonNode Value)[] options)
    {
        var content = new JsonObject { ["raw"] = true, ["output"] = false };
        foreach (var (name, value) in options) content[name] = value;
        return kernel.Ask("shell", "history_request", content)["history"]!.AsArray();
    }

    [Fact]
    public void Names_are_completed_with_their_place_counted_in_code_points()
    {
        kernel.Execute("class Ship { public int Draught(int x) => x; }\nvar ship = new Ship();");
        var reply = kernel.Ask("shell", "complete_request", KernelClient.Code("\"\U0001F600\".ToString(); ship.Dr", ("cursor_pos", 23)));
        Assert.Equal(["Draught"], reply["matches"]!.AsArray().Select(Text));
        Assert.Equal((21, 23), ((int)reply["cursor_start"]!, (int)reply["cursor_end"]!));
        Assert.Equal("function", Text(reply["metadata"]!["_jupyter_types_experimental"]![0]!["type"]));
        Assert.Equal(["#!csharp"], kernel.Ask("shell", "complete_request", KernelClient.Code("#!cs", ("cursor_pos", 4)))["matches"]!.AsArray().Select(Text));
        Assert.Equal(["WriteLine"], kernel.Ask("shell", "complete_request", KernelClient.Code("#!markdown\nConsole.\n#!csharp\nConsole.WriteL", ("cursor_pos", 43)))["matches"]!.AsArray().Select(Text));
    }

    [Fact]
    public void What_stands_at_the_cursor_is_explained()
    {
        kernel.Execute("int Depth(string of) => of.Length;");
        var found = kernel.Ask("shell", "inspect_request", KernelClient.Code("Depth", ("cursor_pos", 5), ("detail_level", 0)));
        Assert.True((bool)found["found"]!);
        Assert.Contains("int Depth(string of)", Text(found["data"]!["text/plain"]), StringComparison.Ordinal);
        Assert.False((bool)kernel.Ask("shell", "inspect_request", KernelClient.Code("   ", ("cursor_pos", 1), ("detail_level", 0)))["found"]!);
    }

    [Theory]
    [InlineData("1 + 1", "complete")]
    [InlineData("void F()\n{", "incomplete")]
    [InlineData("int x = );", "invalid")]
    [InlineData("#!markdown\n# Title", "complete")]
    public void A_console_learns_whether_enter_ends_the_input(string code, string status) =>
        Assert.Equal(status, Text(kernel.Ask("shell", "is_complete_request", KernelClient.Code(code))["status"]));

    [Fact]
    public void An_unknown_comm_is_closed_and_an_unknown_request_is_left_without_answer()
    {
        var id = kernel.Send("shell", "comm_open", new JsonObject { ["comm_id"] = "c", ["target_name"] = "t", ["data"] = new JsonObject() });
        Assert.Equal("comm_close", Assert.Single(kernel.Outputs(id)).Type);
        Assert.Empty(kernel.Outputs(kernel.Send("shell", "strange_request")));
        Assert.Equal("1", kernel.Value("1")); // the next message on the shell channel is its reply
    }
}
