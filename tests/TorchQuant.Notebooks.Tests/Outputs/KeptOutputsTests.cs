using System.Text.Json.Nodes;
using FsCheck.Xunit;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Outputs;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Outputs;

/// <summary>Outputs that notebooks carry in a repository.</summary>
public sealed class KeptOutputsTests
{
    private static readonly string[] s_code = ["var x = 1;", "md:text", "x + 1", "display(chart)"];

    private static NotebookDocument Document(params string[] cells) => NotebookDocument.Parse(NotebookJson.Of(cells), "test");

    private static JsonObject Shown(params (string Mime, string Form)[] forms) =>
        new() { ["output_type"] = "display_data", ["metadata"] = new JsonObject(), ["data"] = new JsonObject([.. forms.Select(form => KeyValuePair.Create(form.Mime, (JsonNode?)form.Form))]) };

    private static NotebookDocument Executed(string[] cells, Func<int, JsonArray> outputs)
    {
        var document = Document(cells);
        var number = 0;
        foreach (var cell in document.Cells.Where(cell => cell.IsCode))
        {
            cell.Outputs = outputs(number);
            cell.ExecutionCount = ++number;
        }
        return document;
    }

    private static NotebookDocument Kept(Func<int, JsonArray>? outputs = null)
    {
        var notebook = Document(s_code);
        KeptOutputs.Keep(notebook, Executed(s_code, outputs ?? (number => [Shown(("text/plain", number.ToString(System.Globalization.CultureInfo.InvariantCulture)))])), "test", []);
        return NotebookDocument.Parse(notebook.ToString(), "test");
    }

    [Fact]
    public void A_drawing_is_kept_as_svg_and_anything_else_as_html_each_with_its_text()
    {
        var kept = Kept(number => number == 0
            ? [Shown(("text/html", "<figure/>"), ("image/svg+xml", "<svg/>"), ("text/plain", "drawing"), ("application/vnd.plotly.v1+json", "{}"))]
            : [Shown(("text/html", "<table/>"), ("text/plain", "table")), new JsonObject { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = "said" }]);
        var code = kept.Cells.Where(cell => cell.IsCode).ToArray();
        Assert.Equal(["image/svg+xml", "text/plain"], code[0].Outputs[0]!["data"]!.AsObject().Select(form => form.Key));
        Assert.Equal(["text/html", "text/plain"], code[1].Outputs[0]!["data"]!.AsObject().Select(form => form.Key));
        Assert.Equal("said", code[1].Outputs[1]!["text"]!.ToString());
        Assert.Empty(KeptOutputs.Faults(kept, []));
    }

    [Property]
    public void An_edit_makes_the_outputs_of_its_cell_and_of_all_later_ones_stale(byte where, string text)
    {
        var kept = JsonNode.Parse(Kept().ToString())!;
        var code = kept["cells"]!.AsArray().Where(cell => (string?)cell!["cell_type"] == "code").ToArray();
        var edited = where % code.Length;
        code[edited]!["source"] = MultilineText.Read(code[edited]!["source"]) + "//" + text;
        var faults = KeptOutputs.Faults(NotebookDocument.Parse(kept.ToJsonString(), "test"), []).ToArray();
        Assert.Equal(Enumerable.Range(edited + 1, code.Length - edited).Select(number => $"the outputs of cell {number} "), faults.Select(fault => fault[..$"the outputs of cell {edited + 1} ".Length]));
    }

    [Fact]
    public void Markdown_may_change_without_making_outputs_stale()
    {
        var kept = JsonNode.Parse(Kept().ToString())!;
        kept["cells"]![1]!["source"] = "other text";
        Assert.Empty(KeptOutputs.Faults(NotebookDocument.Parse(kept.ToJsonString(), "test"), []));
    }

    [Fact]
    public void Outputs_that_were_never_kept_are_missing() =>
        Assert.Equal(3, KeptOutputs.Faults(Executed(s_code, _ => []), []).Count(fault => fault.EndsWith("has no outputs that were kept", StringComparison.Ordinal)));

    [Fact]
    public void A_run_of_other_code_or_one_that_failed_is_refused_and_changes_nothing()
    {
        var notebook = Document(s_code);
        var before = notebook.ToString();
        JsonArray Failed(int number) => number == 1 ? [new JsonObject { ["output_type"] = "error", ["ename"] = "E", ["evalue"] = "", ["traceback"] = new JsonArray() }] : [];
        Assert.Contains("code cell 2 of the executed notebook", Assert.Throws<NotebookFormatException>(() => KeptOutputs.Keep(notebook, Executed(["var x = 1;", "x + 2", "display(chart)"], _ => []), "test", [])).Message);
        Assert.Contains("code cell 3 of the executed notebook", Assert.Throws<NotebookFormatException>(() => KeptOutputs.Keep(notebook, Executed(["var x = 1;", "x + 1"], _ => []), "test", [])).Message);
        Assert.Contains("did not run to its end", Assert.Throws<NotebookFormatException>(() => KeptOutputs.Keep(notebook, Executed(s_code, Failed), "test", [])).Message);
        Assert.Contains("did not run to its end", Assert.Throws<NotebookFormatException>(() => KeptOutputs.Keep(notebook, Document(s_code), "test", [])).Message);
        Assert.Equal(before, notebook.ToString());
    }

    [Theory]
    [InlineData("see /home/someone/x.ipynb", "/home/someone")]
    [InlineData("<a href='/tmp/page.html'>", "/tmp/page.html")]
    [InlineData(@"C:\Users\someone", @"C:\Users\someone")]
    [InlineData("http://127.0.0.1:8888/tree", "127.0.0.1:8888")]
    [InlineData("localhost:5000", "localhost:5000")]
    [InlineData("on build-machine-7 today", "build-machine-7")]
    public void A_machine_a_folder_or_an_address_in_an_output_is_a_fault(string text, string named)
    {
        var kept = Kept(_ => []);
        kept.Cells[2].Outputs = [Shown(("text/plain", text))];
        var fault = Assert.Single(KeptOutputs.Faults(kept, ["build-machine-7"]));
        Assert.StartsWith("an output of cell 2 ", fault, StringComparison.Ordinal);
        Assert.EndsWith(named, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_whose_outputs_name_the_machine_is_refused()
    {
        var notebook = Document(s_code);
        var before = notebook.ToString();
        var executed = Executed(s_code, number => number == 2 ? [Shown(("text/plain", "made on build-machine-7"))] : []);
        Assert.Contains("an output of cell 3 (cell-3) names", Assert.Throws<NotebookFormatException>(() => KeptOutputs.Keep(notebook, executed, "test", ["build-machine-7"])).Message);
        Assert.Equal(before, notebook.ToString());
    }

    [Theory]
    [InlineData("3/tmp is a ratio, out/home/x is relative")]
    [InlineData("</root><br/>")]
    [InlineData("rebuild-machine-7x")]
    public void Other_text_is_none(string text) => Assert.Empty(KeptOutputs.Faults(Kept(_ => [Shown(("text/plain", text))]), ["build-machine-7"]));

    [Fact]
    public void A_new_run_forgets_the_stamps()
    {
        var kept = Kept();
        foreach (var cell in kept.Cells) cell.Clear();
        Assert.All(kept.Cells.Where(cell => cell.IsCode), cell => Assert.Null(cell.OutputStamp));
        Assert.DoesNotContain("torchquant", kept.ToString(), StringComparison.Ordinal);
    }
}
