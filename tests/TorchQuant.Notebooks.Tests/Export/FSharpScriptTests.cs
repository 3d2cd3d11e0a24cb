using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Export;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Export;

public sealed class FSharpScriptTests
{
    private static string Export(params string[] cells) => FSharpScript.Write(ScriptSource.Read(
        NotebookDocument.Parse(NotebookJson.Of(cells).Replace("C#", "F#", StringComparison.Ordinal).Replace(".net-csharp", ".net-fsharp", StringComparison.Ordinal), "n.ipynb"), "n.ipynb"));

    [Fact]
    public void Cells_stay_as_they_are_and_their_last_values_are_shown()
    {
        var script = Export("md:# Title", "#r \"nuget: A, 1.0\"\nlet x = 1", "[1; 2]\n|> List.map (fun i ->\n    i + x)", "#!time\nprintfn \"a\"");
        Assert.EndsWith("\n\n// # Title\n\n#r \"nuget: A, 1.0\"\nlet x = 1\n\n[1; 2]\n|> List.map (fun i ->\n    i + x)\n|> show\n\n// (cell 3: #!time is for notebooks)\n\nprintfn \"a\"\n|> show\n", script, StringComparison.Ordinal);
        Assert.Contains("`dotnet fsi n.fsx`", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("let x = 2", "Cell 2 declares x, as cell 1 does")]
    [InlineData("let (a, x) = 1, 2", "Cell 2 declares x")]
    [InlineData("type x = int", "Cell 2 declares x")]
    [InlineData("#!csharp\nint y = 1;", "Cell 2, line 2: It is in CSharp")]
    [InlineData("let y = )", "Cell 2 is not F# that compiles")]
    public void What_a_script_cannot_hold_is_refused_with_its_cell(string cell, string named) =>
        Assert.Contains(named, Assert.Throws<ExportException>(() => Export("let x = 1", cell)).Message, StringComparison.Ordinal);
}
