using System.Text.Json.Nodes;
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
    }

    [Fact]
    public void The_kernel_specs_start_the_installed_tool()
    {
        var folder = feed.Folder("tool-jupyter");
        Shell.Run(folder, Tool, ["jupyter", "install", "--path", folder]);
        var spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "torchquant-csharp", "kernel.json")))!;
        Assert.Equal(Tool, spec["argv"]![0]!.ToString());
    }

    /// <summary>Every notebook of C# in this repository.</summary>
    public static TheoryData<string> Shipped => [.. new[] { "notebooks", "tutorials" }.SelectMany(folder => Directory.GetFiles(Path.Combine(ReadmeExample.Root, folder), "*.ipynb"))
        .Where(path => JsonNode.Parse(File.ReadAllText(path))!["metadata"]!["kernelspec"]!["language"]!.ToString() == "C#" && !File.ReadAllText(path).Contains("#!fsharp", StringComparison.Ordinal))
        .Select(path => Path.GetRelativePath(ReadmeExample.Root, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_notebook_of_this_repository_is_a_program_that_compiles(string notebook)
    {
        var name = Path.GetFileNameWithoutExtension(notebook);
        var folder = feed.Folder("shipped-" + name);
        var program = Path.Combine(folder, name + ".cs");
        Shell.Run(folder, Tool, ["export", Path.Combine(ReadmeExample.Root, notebook), "--script", "--out", program]);
        File.WriteAllText(program, File.ReadAllText(program).Replace("@0.1.0\n", $"@{feed.Version}\n", StringComparison.Ordinal));
        Shell.Run(folder, "dotnet", ["build", program]);
        if (name == "getting-started") Assert.Contains("the same bits", Shell.Run(folder, "dotnet", ["run", "--no-build", program]));
    }
}
