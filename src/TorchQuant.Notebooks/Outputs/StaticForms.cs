using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Outputs;

/// <summary>Outputs as a repository shows them: without scripts, and each in one rich form (a drawing as SVG, which the web pages of repositories show; else HTML) beside its text.</summary>
internal static class StaticForms
{
    // Best first, by what the viewers of repositories draw.
    private static readonly string[] s_rich = ["image/svg+xml", "image/png", "image/jpeg", "text/html", "text/markdown"];

    /// <summary>A copy in static form.</summary>
    public static JsonArray Of(JsonArray outputs) => [.. outputs.OfType<JsonObject>().Select(Of)];

    private static JsonNode Of(JsonObject output)
    {
        var copy = output.DeepClone().AsObject();
        if (copy["data"] is not JsonObject data) return copy;
        var kept = s_rich.FirstOrDefault(data.ContainsKey);
        foreach (var mime in data.Select(form => form.Key).Where(mime => mime != kept && mime != "text/plain").ToArray()) data.Remove(mime);
        copy.Remove("transient");
        return copy;
    }
}
