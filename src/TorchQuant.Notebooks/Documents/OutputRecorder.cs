using System.Text;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Documents;

/// <summary>Keeps what cells show, and writes it into the notebook's cells. A displayed value is replaced where it stands, whenever that happens.</summary>
internal sealed class OutputRecorder : ICellOutput
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _displays = [];
    private readonly List<(NotebookCell Cell, List<Entry> Entries)> _cells = [];

    /// <summary>What comes from now on belongs to this cell.</summary>
    public void Begin(NotebookCell cell)
    {
        lock (_gate) _cells.Add((cell, []));
    }

    public void Write(OutputStream stream, string text)
    {
        lock (_gate)
        {
            if (_cells.Count == 0) return;
            var entries = _cells[^1].Entries;
            if (entries is not [.., { Text: not null } last] || last.Stream != stream)
                entries.Add(last = new Entry { Stream = stream, Text = new StringBuilder() });
            last.Text.Append(text);
        }
    }

    public void Display(MimeBundle bundle, string? id)
    {
        lock (_gate)
        {
            if (_cells.Count == 0) return;
            var entry = new Entry { Bundle = bundle, IsResult = id is null };
            _cells[^1].Entries.Add(entry);
            if (id is not null) _displays[id] = entry;
        }
    }

    public void Update(string id, MimeBundle bundle)
    {
        lock (_gate)
            if (_displays.TryGetValue(id, out var entry))
                entry.Bundle = bundle;
    }

    public void Fail(CellError error)
    {
        lock (_gate)
            if (_cells.Count > 0)
                _cells[^1].Entries.Add(new Entry { Error = error });
    }

    /// <summary>Writes the outputs that there are into the cells.</summary>
    public void Save()
    {
        lock (_gate)
            foreach (var (cell, entries) in _cells)
                cell.Outputs = new JsonArray([.. entries.Select(entry => entry.ToJson(cell.ExecutionCount))]);
    }

    private sealed class Entry
    {
        public OutputStream Stream { get; init; }
        public StringBuilder? Text { get; init; }
        public MimeBundle? Bundle { get; set; }
        public bool IsResult { get; init; }
        public CellError? Error { get; init; }

        public JsonObject ToJson(int? executionCount)
        {
            if (Text is not null)
                return new JsonObject
                {
                    ["output_type"] = "stream",
                    ["name"] = Stream == OutputStream.Out ? "stdout" : "stderr",
                    ["text"] = MultilineText.ToJson(TerminalText.Settle(Text.ToString())),
                };
            if (Error is not null)
                return new JsonObject
                {
                    ["output_type"] = "error",
                    ["ename"] = Error.Name,
                    ["evalue"] = Error.Message,
                    // Jupyter's front ends show the traceback alone, so it begins with the message.
                    ["traceback"] = new JsonArray([.. Error.Lines.Select(line => JsonValue.Create(line))]),
                };
            var json = new JsonObject { ["output_type"] = IsResult ? "execute_result" : "display_data", ["data"] = MimeJson.Of(Bundle!, MultilineText.ToJson), ["metadata"] = new JsonObject() };
            if (IsResult) json["execution_count"] = executionCount;
            return json;
        }
    }
}
