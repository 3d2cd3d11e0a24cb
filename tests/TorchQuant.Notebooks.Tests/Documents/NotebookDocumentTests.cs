using System.Diagnostics;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Documents;

public sealed class NotebookDocumentTests
{
    [Property]
    public void What_other_tools_wrote_survives(string[] keys, string[] values, string source)
    {
        var foreign = new JsonObject();
        foreach (var (key, value) in keys.Zip(values)) foreign["x" + key] = new JsonArray(value, new JsonObject { ["deep"] = value });
        var root = JsonNode.Parse(NotebookJson.Of("1", "md:text"))!;
        root["metadata"]!["foreign"] = foreign.DeepClone();
        root["cells"]![0]!["metadata"]!["foreign"] = foreign.DeepClone();
        root["cells"]![0]!["source"] = source ?? "";
        root["cells"]!.AsArray().Add(new JsonObject { ["cell_type"] = "raw", ["id"] = "raw-1", ["metadata"] = foreign.DeepClone(), ["source"] = "raw" });

        var document = NotebookDocument.Parse(root.ToJsonString(), "test");
        foreach (var cell in document.Cells) cell.Clear();
        Assert.True(JsonNode.DeepEquals(root, JsonNode.Parse(document.ToString())));
        Assert.Equal(source ?? "", document.Cells[0].Source);
    }

    [Property]
    public void Lines_of_a_text_come_together_again(string text)
    {
        text ??= "";
        var lines = MultilineText.ToJson(text);
        Assert.Equal(text, MultilineText.Read(lines));
        Assert.All(lines.SkipLast(1), line => Assert.EndsWith("\n", line!.ToString(), StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Equal(-1, line!.ToString().TrimEnd('\n').IndexOf('\n', StringComparison.Ordinal)));
    }

    [Fact]
    public void An_older_notebook_gets_ids_that_are_unique_valid_and_the_same_every_time()
    {
        const string Old = """{"cells":[{"cell_type":"code","source":["1"],"metadata":{},"outputs":[],"execution_count":3},{"cell_type":"code","source":"1"},{"cell_type":"markdown","source":"a","id":"not valid!"},{"cell_type":"code","id":"same","source":""},{"cell_type":"code","id":"same","source":""}],"metadata":{},"nbformat":4,"nbformat_minor":2}""";
        var ids = NotebookDocument.Parse(Old, "old").Cells.Select(cell => cell.Id).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[a-zA-Z0-9-_]{1,64}$", id));
        Assert.Equal(ids, NotebookDocument.Parse(Old, "old").Cells.Select(cell => cell.Id));
        Assert.Contains("same", ids);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("[]", "object")]
    [InlineData("{}", "nbformat")]
    [InlineData("""{"nbformat":3,"cells":[]}""", "nbformat 3")]
    [InlineData("""{"nbformat":4}""", "cells")]
    [InlineData("""{"nbformat":4,"cells":[3]}""", "cell 0")]
    public void A_file_that_is_no_notebook_is_refused_by_name(string text, string named)
    {
        var message = Assert.Throws<NotebookFormatException>(() => NotebookDocument.Parse(text, "file.ipynb")).Message;
        Assert.StartsWith("file.ipynb", message, StringComparison.Ordinal);
        Assert.Contains(named, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kind_of_output_is_valid_for_nbformat()
    {
        var document = NotebookDocument.Parse(NotebookJson.Of("md:# Title", "1", "throw"), "test");
        document.InsertCodeAfter(document.Cells[1], "a = 1;", "injected-parameters");
        var recorder = new OutputRecorder();
        foreach (var (cell, number) in document.Cells.Where(cell => cell.IsCode).Select((cell, i) => (cell, i + 1)))
        {
            recorder.Begin(cell);
            cell.ExecutionCount = number;
            cell.SetTimes(DateTimeOffset.UnixEpoch, TimeSpan.FromSeconds(2));
            recorder.Write(OutputStream.Out, "10 %\r");
            recorder.Write(OutputStream.Out, "done\n");
            recorder.Write(OutputStream.Error, "bad");
            recorder.Display(new MimeBundle([new("text/html", "<b>\n</b>"), new("image/svg+xml", "<svg/>"), new("application/json", "{\"a\":[1]}"), new("text/plain", "한국어")]), id: null);
            recorder.Display(MimeBundle.OfText("first"), "d");
            recorder.Update("d", MimeBundle.OfText("last"));
        }
        recorder.Fail(new CellError("CS1", "message", 1, "code", ["line"]));
        recorder.Save();

        var outputs = document.Cells[1].Outputs;
        Assert.Equal(["stream", "stream", "execute_result", "display_data"], outputs.Select(output => output!["output_type"]!.ToString()));
        Assert.Equal("done\n", MultilineText.Read(outputs[0]!["text"]));
        Assert.Equal("last", MultilineText.Read(outputs[3]!["data"]!["text/plain"]));
        Assert.Equal(1, (int)outputs[2]!["execution_count"]!);
        Assert.Equal(1, (int)outputs[2]!["data"]!["application/json"]!["a"]![0]!);
        Assert.Equal(TimeSpan.FromSeconds(2), document.Cells[1].Duration);
        Assert.Equal("error", document.Cells[3].Outputs[^1]!["output_type"]!.ToString());
        Assert.Equal(["CS1: message", "line"], document.Cells[3].Outputs[^1]!["traceback"]!.AsArray().Select(line => line!.ToString()));
        Assert.Contains("한국어", document.ToString(), StringComparison.Ordinal);
        AssertValid(document.ToString());
    }

    /// <summary>Checks against nbformat's own validator where Python has it; a notebook's shape is checked above in any case.</summary>
    internal static void AssertValid(string notebook)
    {
        var root = JsonNode.Parse(notebook)!;
        Assert.Equal((4, true), ((int)root["nbformat"]!, (int)root["nbformat_minor"]! >= 5));
        foreach (var cell in root["cells"]!.AsArray())
        {
            Assert.Matches("^[a-zA-Z0-9-_]{1,64}$", cell!["id"]!.ToString());
            Assert.NotNull(cell["metadata"]);
            if (cell["cell_type"]!.ToString() == "code") Assert.NotNull(cell["outputs"]);
        }

        foreach (var python in new[] { "/usr/bin/python3", "python3" })
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(python, ["-c", """
                    import sys
                    try: import nbformat
                    except ImportError: print('none'); sys.exit()
                    nbformat.validate(nbformat.reads(sys.stdin.read(), as_version=4)); print('valid')
                    """])
                { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
                process.StandardInput.Write(notebook);
                process.StandardInput.Close();
                var (said, complaint) = (process.StandardOutput.ReadToEnd().Trim(), process.StandardError.ReadToEnd());
                process.WaitForExit();
                if (said == "none") continue;
                Assert.True(said == "valid" && complaint.Length == 0, complaint);
                return;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // This machine has no such Python.
            }
        }
    }
}
