using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Tests.Support;

/// <summary>Notebook files as other programs write them.</summary>
internal static class NotebookJson
{
    /// <summary>A notebook of C# cells; a cell that begins with <c>md:</c> is markdown, one with <c>parameters:</c> is tagged so.</summary>
    public static string Of(params string[] cells) => new JsonObject
    {
        ["cells"] = new JsonArray([.. cells.Select(Cell)]),
        ["metadata"] = new JsonObject { ["kernelspec"] = new JsonObject { ["name"] = ".net-csharp", ["language"] = "C#", ["display_name"] = ".NET (C#)" } },
        ["nbformat"] = 4,
        ["nbformat_minor"] = 5,
    }.ToJsonString();

    private static JsonObject Cell(string source, int index)
    {
        var cell = new JsonObject { ["cell_type"] = "code", ["id"] = $"cell-{index}", ["metadata"] = new JsonObject(), ["source"] = source };
        if (source.StartsWith("md:", StringComparison.Ordinal))
        {
            cell["cell_type"] = "markdown";
            cell["source"] = source[3..];
            return cell;
        }
        if (source.StartsWith("parameters:", StringComparison.Ordinal))
        {
            cell["source"] = source["parameters:".Length..];
            cell["metadata"]!["tags"] = new JsonArray("parameters");
        }
        cell["execution_count"] = null;
        cell["outputs"] = new JsonArray();
        return cell;
    }
}
