using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>The tool <c>torchquant</c>, installed from a folder, as users have it: outside this repository.</summary>
public class ToolTests(PackedFeed feed)
{
    private const string Proof = "DynamicQuantizedLinear";

    private string Tool => feed.Tool("TorchQuant.Notebooks", feed.Version, "torchquant");

    private string CSharp => Notebooks.Of("C#", $"#r \"nuget: TorchSharp-cpu, 0.107.0\"\n#r \"nuget: TorchQuant, {feed.Version}\"\nusing TorchSharp;\nusing TorchQuant;",
        "var model = torch.nn.Sequential((\"fc\", torch.nn.Linear(64, 8)));", "ModelSize.Of(quantization.quantize_dynamic(model))");

    private string FSharp => Notebooks.Of("F#", $"#r \"nuget: TorchSharp-cpu, 0.107.0\"\n#r \"nuget: TorchQuant, {feed.Version}\"\nopen TorchSharp\nopen TorchQuant",
        "let model = torch.nn.Sequential(struct (\"fc\", torch.nn.Linear(64L, 8L) :> torch.nn.Module<torch.Tensor, torch.Tensor>))", "ModelSize.Of(quantization.quantize_dynamic model)");

    [Fact]
    public void The_tool_runs_notebooks_of_both_languages_that_quantize()
    {
        var folder = feed.Folder("tool-run", ("cs.ipynb", CSharp), ("fs.ipynb", FSharp), ("text.dib", "#!csharp\n1 + 1"));
        Shell.Run(folder, Tool, ["run", "cs.ipynb", "fs.ipynb", "text.dib"]);
        foreach (var name in new[] { "cs", "fs" })
            Assert.Contains(Proof, File.ReadAllText(Path.Combine(folder, "out", name, name + ".ipynb")));
        Assert.True(File.Exists(Path.Combine(folder, "out", "text", "text.html")));
    }

    [Fact]
    public void The_tool_exports_notebooks_as_programs_that_quantize()
    {
        var folder = feed.Folder("tool-export", ("cs.ipynb", CSharp), ("fs.ipynb", FSharp));
        Shell.Run(folder, Tool, ["export", "cs.ipynb", "--script"]);
        Assert.Contains(Proof, Shell.Run(folder, "dotnet", ["run", "cs.cs"]));
        Shell.Run(folder, Tool, ["export", "fs.ipynb", "--script"]);
        Assert.Contains(Proof, Shell.Run(folder, "dotnet", ["fsi", "fs.fsx"]));
        Shell.DropBuilds(folder);
    }

    [Fact]
    public void The_kernel_specs_start_the_installed_tool()
    {
        var folder = feed.Folder("tool-jupyter");
        Shell.Run(folder, Tool, ["jupyter", "install", "--path", folder]);
        var spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "torchquant-csharp", "kernel.json")))!;
        Assert.Equal(Tool, spec["argv"]![0]!.ToString());
    }

    /// <summary>Every notebook of this repository.</summary>
    public static TheoryData<string> Shipped => [.. new[] { "notebooks", "tutorials" }.SelectMany(folder => Directory.GetFiles(Path.Combine(ReadmeExample.Root, folder), "*.ipynb"))
        .Select(path => Path.GetRelativePath(ReadmeExample.Root, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_notebook_of_this_repository_is_a_program_unless_it_has_two_languages(string notebook)
    {
        var name = Path.GetFileNameWithoutExtension(notebook);
        var folder = feed.Folder("shipped-" + name);
        var text = File.ReadAllText(Path.Combine(ReadmeExample.Root, notebook));
        var isFSharp = JsonNode.Parse(text)!["metadata"]!["kernelspec"]!["language"]!.ToString() == "F#";
        var program = Path.Combine(folder, name + (isFSharp ? ".fsx" : ".cs"));
        string[] export = ["export", Path.Combine(ReadmeExample.Root, notebook), "--script", "--out", program];
        if (!isFSharp && (text.Contains("#!fsharp", StringComparison.Ordinal) || text.Contains("\"fsharp\"", StringComparison.Ordinal)))
        {
            var (code, refusal) = Shell.TryRun(folder, Tool, export);
            Assert.Equal(2, code);
            Assert.Matches("^Cell \\d+, line \\d+: ", refusal);
            return;
        }
        Shell.Run(folder, Tool, export);
        File.WriteAllText(program, Regex.Replace(File.ReadAllText(program), @"(TorchQuant(?:\.Interactive)?(?:@|, ))0\.1\.0", match => match.Groups[1].Value + feed.Version));
        if (isFSharp) Shell.Run(folder, "dotnet", ["fsi", program]);
        else Shell.Run(folder, "dotnet", ["build", program]);
        if (name == "getting-started") Assert.Contains("the same bits", Shell.Run(folder, "dotnet", ["run", "--no-build", program]));
        Shell.DropBuilds(folder);
    }
}
