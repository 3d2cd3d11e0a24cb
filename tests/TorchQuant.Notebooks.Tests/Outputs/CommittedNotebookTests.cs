using System.Reflection;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Outputs;

namespace TorchQuant.Notebooks.Tests.Outputs;

/// <summary>The notebooks of this repository carry the outputs of their present code, and no folder or address of the machine that made them (its name <c>outputs keep</c> refuses). The mend: run them, then <c>outputs keep</c>.</summary>
public sealed class CommittedNotebookTests
{
    private static readonly string s_root =
        typeof(CommittedNotebookTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static TheoryData<string> Notebooks =>
        [.. new[] { "notebooks", "tutorials" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(s_root, folder), "*.ipynb")).Select(path => Path.GetRelativePath(s_root, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void A_notebook_carries_the_outputs_of_its_code_and_names_no_machine(string notebook) =>
        Assert.Empty(KeptOutputs.Faults(NotebookDocument.Load(Path.Combine(s_root, notebook)), []));

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void A_notebooks_drawings_are_svg(string notebook)
    {
        var outputs = NotebookDocument.Load(Path.Combine(s_root, notebook)).Cells.Where(cell => cell.IsCode).SelectMany(cell => cell.Outputs).ToArray();
        Assert.DoesNotContain(outputs, output => output?["data"]?["image/svg+xml"] is not null && output["data"]!["text/html"] is not null);
    }
}
