using System.Text.Json.Nodes;

namespace TorchQuant.Packages.Tests;

/// <summary>Notebooks of a test, as files.</summary>
internal static class Notebooks
{
    public static string Of(string language, params string[] cells) => new JsonObject
    {
        ["cells"] = new JsonArray([.. cells.Select((source, i) => new JsonObject
        {
            ["cell_type"] = "code", ["id"] = $"cell-{i}", ["metadata"] = new JsonObject(), ["source"] = source, ["outputs"] = new JsonArray(), ["execution_count"] = null,
        })]),
        ["metadata"] = new JsonObject { ["kernelspec"] = new JsonObject { ["name"] = language == "F#" ? ".net-fsharp" : ".net-csharp", ["language"] = language, ["display_name"] = language } },
        ["nbformat"] = 4,
        ["nbformat_minor"] = 5,
    }.ToJsonString();
}
