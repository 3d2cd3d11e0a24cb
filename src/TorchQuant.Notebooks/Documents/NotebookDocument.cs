using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Documents;

/// <summary>
/// A Jupyter notebook (nbformat 4). It keeps the JSON it was read from and changes only what a run changes, so what other tools wrote into it
/// (metadata, attachments, cells of unknown kinds) survives. It is brought to nbformat 4.5: every cell has an id.
/// </summary>
internal sealed class NotebookDocument
{
    private const int Format = 4;
    private const int FormatMinor = 5;

    // As Jupyter writes it: one space, readable Korean, a final newline. Then a run changes few lines of a committed notebook.
    private static readonly JsonSerializerOptions s_layout = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonObject _root;
    private readonly List<NotebookCell> _cells = [];

    private NotebookDocument(JsonObject root, string name)
    {
        _root = root;
        if (root["nbformat"] is not JsonValue number || !number.TryGetValue(out int format))
            throw new NotebookFormatException($"{name} is no notebook: it has no number 'nbformat'. Expected is a Jupyter notebook of format 4.");
        if (format != Format)
            throw new NotebookFormatException($"{name} is in nbformat {format}; this program reads nbformat 4. Convert it with `jupyter nbconvert --to notebook`.");
        if (root["cells"] is not JsonArray cells)
            throw new NotebookFormatException($"{name} is no notebook: it has no list 'cells'.");
        root["metadata"] ??= new JsonObject();
        var minor = root["nbformat_minor"] is JsonValue value && value.TryGetValue(out int read) ? read : 0;
        root["nbformat_minor"] = Math.Max(minor, FormatMinor);

        var ids = new HashSet<string>();
        for (var i = 0; i < cells.Count; i++)
        {
            if (cells[i] is not JsonObject json || json["cell_type"] is not JsonValue)
                throw new NotebookFormatException($"{name}: cell {i} (counted from 0) is no cell: it has no 'cell_type'.");
            _cells.Add(new NotebookCell(json, ids, i));
        }
    }

    public IReadOnlyList<NotebookCell> Cells => _cells;

    /// <summary>The language of code cells that do not name their own, as the notebook's metadata has it; null when it does not say.</summary>
    public string? Language =>
        _root["metadata"]?["kernelspec"]?["language"]?.GetValue<string>() ?? _root["metadata"]?["language_info"]?["name"]?.GetValue<string>();

    /// <summary>Reads a file: a Jupyter notebook, or .NET Interactive's text format by its extension .dib.</summary>
    /// <exception cref="NotebookFormatException">The file is not a notebook of format 4, or not one of text.</exception>
    public static NotebookDocument Load(string path)
    {
        try
        {
            var text = File.ReadAllText(path);
            return Path.GetExtension(path).Equals(DibNotebook.Extension, StringComparison.OrdinalIgnoreCase) ? DibNotebook.Parse(text, path) : Parse(text, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NotebookFormatException($"{path} cannot be read: {e.Message}", e);
        }
    }

    public static NotebookDocument Parse(string text, string name)
    {
        try
        {
            var root = JsonNode.Parse(text) as JsonObject
                ?? throw new NotebookFormatException($"{name} is no notebook: it holds JSON, but not an object.");
            return new NotebookDocument(root, name);
        }
        catch (JsonException e)
        {
            throw new NotebookFormatException($"{name} is no notebook: it is not JSON ({e.Message})", e);
        }
    }

    /// <summary>Puts a new code cell after another one.</summary>
    public NotebookCell InsertCodeAfter(NotebookCell cell, string source, string tag)
    {
        var place = _cells.IndexOf(cell) + 1;
        var json = new JsonObject
        {
            ["cell_type"] = "code",
            ["metadata"] = new JsonObject { ["tags"] = new JsonArray(tag) },
            ["source"] = MultilineText.ToJson(source),
        };
        var added = new NotebookCell(json, [.. _cells.Select(c => c.Id)], place);
        _cells.Insert(place, added);
        _root["cells"]!.AsArray().Insert(place, json);
        return added;
    }

    public void Remove(NotebookCell cell)
    {
        _root["cells"]!.AsArray().RemoveAt(_cells.IndexOf(cell));
        _cells.Remove(cell);
    }

    public override string ToString() => _root.ToJsonString(s_layout) + "\n";

    /// <summary>Writes the file in one step: who reads it sees the old or the new one, never half.</summary>
    public void Save(string path)
    {
        var draft = path + ".tmp";
        File.WriteAllText(draft, ToString());
        File.Move(draft, path, overwrite: true);
    }
}
