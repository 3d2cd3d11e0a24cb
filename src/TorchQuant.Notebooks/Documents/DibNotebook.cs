using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Documents;

/// <summary>
/// .NET Interactive's text format of notebooks (.dib) as a Jupyter notebook: a line <c>#!csharp</c>, <c>#!fsharp</c>, <c>#!markdown</c> or <c>#!html</c> begins a cell, <c>#!meta</c> a block of
/// JSON that names the notebook's language. The format has no tags: a code cell that begins with the comment <c>// parameters</c> is the one that papermill's tag marks.
/// </summary>
internal static partial class DibNotebook
{
    public const string Extension = ".dib";

    private const string Meta = "meta";

    /// <param name="text">The file's text.</param>
    /// <param name="name">The file, for errors.</param>
    /// <exception cref="NotebookFormatException">The metadata is not JSON, or the text holds no cell.</exception>
    public static NotebookDocument Parse(string text, string name)
    {
        var cells = new List<(string Kind, List<string> Lines)> { ("", []) };
        foreach (var line in text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n'))
        {
            // A word that begins no cell is a magic command in one, or one that the host refuses with its line.
            if (Start().Match(line) is { Success: true } start && KindOf(start.Groups[1].Value) is { } kind) cells.Add((kind, []));
            else cells[^1].Lines.Add(line);
        }
        var meta = cells.Where(cell => cell.Kind == Meta).Select(cell => Metadata(cell.Lines, name)).FirstOrDefault();
        var language = meta is null ? CellLanguage.CSharp : meta["kernelInfo"]?["defaultKernelName"]?.ToString() is { } kernel ? LanguageOf(kernel, name) : CellLanguage.CSharp;
        var main = language.ToString().ToLowerInvariant();
        var written = cells.Where(cell => cell.Kind != Meta).Select(cell => (cell.Kind, Source: Trim(cell.Lines))).Where(cell => cell.Source.Length > 0)
            .Select(cell => Cell(cell.Kind.Length == 0 ? main : cell.Kind, cell.Source, main)).ToArray();
        if (written.Length == 0) throw new NotebookFormatException($"{name} holds no cell. In a .dib file a line like #!csharp or #!markdown begins one.");

        var (display, spec) = language == CellLanguage.FSharp ? ("F#", ".net-fsharp") : ("C#", ".net-csharp");
        var metadata = new JsonObject
        {
            ["kernelspec"] = new JsonObject { ["display_name"] = $".NET ({display})", ["language"] = display, ["name"] = spec },
            ["language_info"] = new JsonObject { ["name"] = display },
        };
        if (meta is not null) metadata["polyglot_notebook"] = meta;
        var root = new JsonObject { ["cells"] = new JsonArray([.. written]), ["metadata"] = metadata, ["nbformat"] = 4, ["nbformat_minor"] = 5 };
        return NotebookDocument.Parse(root.ToJsonString(), name);
    }

    private static JsonObject Cell(string kind, string source, string main)
    {
        var metadata = new JsonObject();
        var cell = new JsonObject { ["cell_type"] = kind == "markdown" ? "markdown" : "code", ["metadata"] = metadata, ["source"] = MultilineText.ToJson(source) };
        if (kind == "markdown") return cell;
        if (kind != main) metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = kind };
        if (Parameters().IsMatch(source)) metadata["tags"] = new JsonArray("parameters");
        return cell;
    }

    private static string? KindOf(string word) => word.ToLowerInvariant() switch
    {
        "csharp" or "c#" => "csharp",
        "fsharp" or "f#" => "fsharp",
        "markdown" or "md" => "markdown",
        "html" => "html",
        Meta => Meta,
        _ => null,
    };

    private static CellLanguage LanguageOf(string kernel, string name) => KindOf(kernel) switch
    {
        "csharp" => CellLanguage.CSharp,
        "fsharp" => CellLanguage.FSharp,
        _ => throw new NotebookFormatException($"{name} is a notebook of {kernel}; this program runs notebooks of C# and F#."),
    };

    private static JsonObject Metadata(List<string> lines, string name)
    {
        try
        {
            return JsonNode.Parse(string.Join('\n', lines)) as JsonObject ?? throw new NotebookFormatException($"{name}: what stands after #!meta is JSON, but not an object.");
        }
        catch (JsonException e)
        {
            throw new NotebookFormatException($"{name}: what stands after #!meta is not JSON ({e.Message})", e);
        }
    }

    // The writers put an empty line below the line that begins a cell and above the next one.
    private static string Trim(List<string> lines) =>
        string.Join('\n', lines.SkipWhile(string.IsNullOrWhiteSpace).Reverse().SkipWhile(string.IsNullOrWhiteSpace).Reverse());

    [GeneratedRegex(@"^#!([\w#]+)\s*$")]
    private static partial Regex Start();

    [GeneratedRegex(@"^// *parameters\b", RegexOptions.IgnoreCase)]
    private static partial Regex Parameters();
}
