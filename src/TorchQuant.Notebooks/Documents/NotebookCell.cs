using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Documents;

/// <summary>A cell of a <see cref="NotebookDocument"/>: a view on its JSON.</summary>
internal sealed class NotebookCell
{
    private readonly JsonObject _json;

    internal NotebookCell(JsonObject json, HashSet<string> usedIds, int index)
    {
        _json = json;
        json["metadata"] ??= new JsonObject();
        json["source"] ??= "";
        if (json["id"] is not JsonValue given || !IsId(given.ToString()) || !usedIds.Add(given.ToString())) json["id"] = NewId(usedIds, index);
        if (!IsCode) return;
        json["outputs"] ??= new JsonArray();
        if (!json.ContainsKey("execution_count")) json["execution_count"] = null;
    }

    public string Id => _json["id"]!.ToString();

    public bool IsCode => (string?)_json["cell_type"] == "code";

    public bool IsMarkdown => (string?)_json["cell_type"] == "markdown";

    public string Source => MultilineText.Read(_json["source"]);

    public JsonArray Outputs
    {
        get => _json["outputs"]!.AsArray();
        set => _json["outputs"] = value;
    }

    public int? ExecutionCount
    {
        get => _json["execution_count"]?.GetValue<int>();
        set => _json["execution_count"] = value;
    }

    /// <summary>Of which code the outputs are that the notebook carries in a repository; null when they are of a run of this copy, or there are none.</summary>
    public string? OutputStamp
    {
        get => _json["metadata"]!["torchquant"]?["outputs_of"]?.ToString();
        set => _json["metadata"]!.AsObject()["torchquant"] = new JsonObject { ["outputs_of"] = value };
    }

    public IReadOnlyList<string> Tags => _json["metadata"]?["tags"] is JsonArray tags ? [.. tags.Select(tag => tag?.ToString() ?? "")] : [];

    /// <summary>Files that the markdown of the cell shows as <c>attachment:name</c>: name to MIME type to base64.</summary>
    public JsonObject? Attachments => _json["attachments"] as JsonObject;

    /// <summary>The cell's own language as VS Code's and .NET Interactive's notebooks write it, or null.</summary>
    public string? Language =>
        (_json["metadata"]?["polyglot_notebook"]?["kernelName"] ?? _json["metadata"]?["dotnet_interactive"]?["language"])?.ToString();

    /// <summary>How long the last execution took, from the times that it left in the metadata.</summary>
    public TimeSpan? Duration =>
        Time("iopub.execute_input") is { } started && Time("shell.execute_reply") is { } ended ? ended - started : null;

    /// <summary>Records when the cell ran, under the names that Jupyter's own front ends read.</summary>
    public void SetTimes(DateTimeOffset started, TimeSpan duration) => _json["metadata"]!.AsObject()["execution"] = new JsonObject
    {
        ["iopub.execute_input"] = started.ToUniversalTime().ToString("o", CultureInfo.InvariantCulture),
        ["shell.execute_reply"] = (started + duration).ToUniversalTime().ToString("o", CultureInfo.InvariantCulture),
    };

    /// <summary>Forgets what an earlier execution left.</summary>
    public void Clear()
    {
        if (!IsCode) return;
        Outputs = [];
        ExecutionCount = null;
        _json["metadata"]!.AsObject().Remove("execution");
        _json["metadata"]!.AsObject().Remove("torchquant");
    }

    private DateTimeOffset? Time(string name) =>
        DateTimeOffset.TryParse(_json["metadata"]?["execution"]?[name]?.ToString(), CultureInfo.InvariantCulture, out var time) ? time : null;

    private static bool IsId(string id) => id.Length is > 0 and <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    // Made from place and text, so that running an old notebook twice gives the same ids.
    private string NewId(HashSet<string> used, int index)
    {
        for (var attempt = 0; ; attempt++)
        {
            var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{index}.{attempt}.{Source}")))[..8];
            if (used.Add(id)) return id;
        }
    }
}
