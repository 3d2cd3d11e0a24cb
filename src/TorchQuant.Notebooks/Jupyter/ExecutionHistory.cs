using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>The inputs of this kernel's life, with the text of their results, for the history requests of front ends.</summary>
internal sealed class ExecutionHistory
{
    private const int Session = 1;

    private readonly List<Entry> _entries = [];

    public void Add(int number, string input, string? output) => _entries.Add(new Entry(number, input, output));

    /// <summary>The entries that a history_request asks for: [session, line, input], or with output=true [session, line, [input, output]].</summary>
    public JsonArray Find(JupyterMessage request)
    {
        var count = request.Number("n", int.MaxValue);
        var found = request.Text("hist_access_type") switch
        {
            "range" => Range(request.Number("session", 0), request.Number("start", 1), request.Number("stop", int.MaxValue)),
            "search" => Search(request.Text("pattern"), request.Flag("unique", false)).TakeLast(Math.Max(0, count)),
            _ => _entries.TakeLast(Math.Max(0, count)),
        };
        var withOutput = request.Flag("output", false);
        return new JsonArray([.. found.Select(entry => ToJson(entry, withOutput))]);
    }

    // Session 0 is the present one, negative numbers count back from it; there are no earlier ones here.
    private IEnumerable<Entry> Range(int session, int start, int stop) =>
        session is 0 or Session ? _entries.Where(entry => entry.Number >= start && entry.Number < stop) : [];

    private IEnumerable<Entry> Search(string pattern, bool unique)
    {
        var glob = "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "$";
        var regex = new Regex(glob, RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        var matches = _entries.Where(entry => regex.IsMatch(entry.Input));
        return unique ? matches.Reverse().DistinctBy(entry => entry.Input).Reverse() : matches;
    }

    private static JsonArray ToJson(Entry entry, bool withOutput) =>
        new(Session, entry.Number, withOutput ? new JsonArray(entry.Input, entry.Output) : JsonValue.Create(entry.Input));

    private sealed record Entry(int Number, string Input, string? Output);
}
