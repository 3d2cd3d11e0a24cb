using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>Answers execute requests: runs the cell in the session, counts it, remembers it.</summary>
internal sealed partial class CellExecution(NotebookSession session, IOPubOutput output, InputRequests input, KernelSockets sockets, ExecutionHistory history, CellLanguage language)
{
    private int _count;
    private int _uncounted;
    private volatile JupyterMessage? _running;

    /// <returns>The reply, and whether requests that wait are to be aborted because this one failed.</returns>
    public async Task<(JsonObject Reply, bool Abort)> RunAsync(JupyterMessage request)
    {
        var code = request.Text("code");
        var silent = request.Flag("silent", false);
        var empty = string.IsNullOrWhiteSpace(code);
        var kept = !silent && !empty && request.Flag("store_history", true);
        if (kept) _count++;
        _running = request;
        output.Begin(request, _count, silent);
        input.Begin(request);
        if (!silent) sockets.Publish("execute_input", request.Header, new JsonObject { ["code"] = code, ["execution_count"] = _count });

        // A cell that is not counted must not be taken for the one that gets its number.
        var file = kept ? CellSources.FileOf(_count) : $"uncounted cell {++_uncounted}";
        var result = empty ? new CellResult(CellStatus.Succeeded, null, TimeSpan.Zero) : await session.RunAsync(file, code, language, CancellationToken.None).ConfigureAwait(false);
        _running = null;
        if (_count == 1 && kept && language == CellLanguage.CSharp) session.WarmUpEditor();
        if (kept) history.Add(_count, code, output.Result);
        if (result.Status == CellStatus.Succeeded)
        {
            var reply = new JsonObject { ["status"] = "ok", ["execution_count"] = _count, ["payload"] = new JsonArray(), ["user_expressions"] = await ExpressionsAsync(request).ConfigureAwait(false) };
            output.Flush();
            return (reply, false);
        }
        var error = Content(result.Error ?? new CellError("Interrupted", "The cell was interrupted.", null, null, []));
        output.Fail(error);
        return (Failed(error), request.Flag("stop_on_error", true));
    }

    /// <summary>The process ends, for example in the middle of a cell: shows the reason as an error.</summary>
    /// <returns>The request whose cell is running, if one is, and its reply.</returns>
    public (JupyterMessage? Request, JsonObject Reply) Ended(string reason)
    {
        var error = Content(new CellError("KernelEnded", $"The kernel has ended, and its variables are lost: {reason}. Restart it to go on.", null, null, []));
        output.Fail(error);
        return (_running, Failed(error));
    }

    /// <summary>Aborted requests are answered, but not run.</summary>
    public JsonObject Aborted() => new() { ["status"] = "aborted", ["execution_count"] = _count };

    public static JsonObject Content(CellError error) => new()
    {
        ["ename"] = error.Name,
        ["evalue"] = error.Message,
        ["traceback"] = new JsonArray([.. Lines(error).Select(line => JsonValue.Create(line))]),
    };

    public static IEnumerable<string> Lines(CellError error) => error.Lines.Select(line => Place().Replace(line, "Cell In[$1], line $2"));

    private JsonObject Failed(JsonObject error)
    {
        var reply = error.DeepClone().AsObject();
        (reply["status"], reply["execution_count"]) = ("error", _count);
        return reply;
    }

    private async Task<JsonObject> ExpressionsAsync(JupyterMessage request)
    {
        var values = new JsonObject();
        if (request.Content["user_expressions"] is not JsonObject asked) return values;
        foreach (var (name, expression) in asked)
        {
            var (value, error) = await session.EvaluateAsync($"expression {name}", expression?.ToString() ?? "", language).ConfigureAwait(false);
            values[name] = value is not null
                ? new JsonObject { ["status"] = "ok", ["data"] = MimeJson.Of(value, static text => JsonValue.Create(text)), ["metadata"] = new JsonObject() }
                : Content(error ?? new CellError("NoValue", $"'{expression}' has no value.", null, null, []));
            values[name]!["status"] ??= "error";
        }
        return values;
    }

    // Front ends make a link to the cell of this form of place, which is IPython's.
    [GeneratedRegex(@"^cell (\d+), line (\d+)")]
    private static partial Regex Place();
}
