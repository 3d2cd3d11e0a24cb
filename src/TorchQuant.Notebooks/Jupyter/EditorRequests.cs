using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Engine.Editing;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>Answers complete, inspect and is_complete requests. Positions travel in code points, .NET counts UTF-16 units.</summary>
internal sealed class EditorRequests(CellEditor editor, CellLanguage language)
{
    public async Task<JsonObject> CompleteAsync(JupyterMessage request)
    {
        var code = request.Text("code");
        var found = await editor.CompleteAsync(code, Position(request, code), language).ConfigureAwait(false);
        var (start, end) = (CodePoints(code, found.Start), CodePoints(code, found.End));
        var types = found.Items.Select(item => new JsonObject { ["text"] = item.Text, ["type"] = item.Kind, ["start"] = start, ["end"] = end });
        return new JsonObject
        {
            ["status"] = "ok",
            ["matches"] = new JsonArray([.. found.Items.Select(item => JsonValue.Create(item.Text))]),
            ["cursor_start"] = start,
            ["cursor_end"] = end,
            ["metadata"] = new JsonObject { ["_jupyter_types_experimental"] = new JsonArray([.. types]) },
        };
    }

    public async Task<JsonObject> InspectAsync(JupyterMessage request)
    {
        var code = request.Text("code");
        var text = await editor.InspectAsync(code, Position(request, code), language).ConfigureAwait(false);
        var data = new JsonObject();
        if (text is not null) data["text/plain"] = text;
        return new JsonObject { ["status"] = "ok", ["found"] = text is not null, ["data"] = data, ["metadata"] = new JsonObject() };
    }

    public JsonObject Check(JupyterMessage request)
    {
        var code = request.Text("code");
        var state = editor.Check(code, language);
        var reply = new JsonObject { ["status"] = state.ToString().ToLowerInvariant() };
        if (state == Completeness.Incomplete) reply["indent"] = Indent(code);
        return reply;
    }

    // As deep as the last line, and a step more after an opening bracket.
    private static string Indent(string code)
    {
        var last = code.TrimEnd().Split('\n')[^1];
        return last[..^last.TrimStart().Length] + (last.TrimEnd() is [.., '{' or '(' or '[' or '='] ? "    " : "");
    }

    private static int Position(JupyterMessage request, string code)
    {
        var wanted = request.Number("cursor_pos", int.MaxValue);
        var index = 0;
        for (var points = 0; points < wanted && index < code.Length; points++) index += char.IsSurrogatePair(code, index) ? 2 : 1;
        return index;
    }

    private static int CodePoints(string code, int index) => code[..index].EnumerateRunes().Count();
}
