using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Outputs;

/// <summary>Outputs that a notebook carries in a repository: put there from an executed copy, and checked against its code.</summary>
internal static partial class KeptOutputs
{
    /// <summary>Puts the outputs of an executed copy into a notebook, in static forms and stamped.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="executed">Its executed copy.</param>
    /// <param name="name">What messages call the notebook.</param>
    /// <param name="places">Names that no output may hold: of this machine, of its folders.</param>
    /// <exception cref="NotebookFormatException">The copy is of other code, did not run to its end, ran with parameters, or has outputs that name a machine, a folder or an address.</exception>
    public static void Keep(NotebookDocument notebook, NotebookDocument executed, string name, IReadOnlyCollection<string> places)
    {
        var own = OutputStamp.Of(notebook).ToArray();
        var ran = OutputStamp.Of(executed).ToArray();
        for (var i = 0; i < Math.Max(own.Length, ran.Length); i++)
            if (i >= own.Length || i >= ran.Length || own[i].Stamp != ran[i].Stamp)
                throw new NotebookFormatException($"{name}: code cell {i + 1} of the executed notebook is another one than this notebook's. Run the notebook as it is, without --param, and keep the outputs of that run.");
        if (ran.FirstOrDefault(cell => cell.Cell.ExecutionCount is null || cell.Cell.Outputs.Any(IsError)).Cell is { } failed)
            throw new NotebookFormatException($"{name}: the cell {failed.Id} of the executed notebook did not run to its end. Run the notebook again.");
        if (ran.SelectMany((cell, i) => PlacesIn(cell.Cell, i + 1, places)).FirstOrDefault() is { } place)
            throw new NotebookFormatException($"{name}: {place}. Print less of it, or run the notebook elsewhere.");
        foreach (var ((cell, stamp), (result, _)) in own.Zip(ran))
        {
            cell.Outputs = StaticForms.Of(result.Outputs);
            cell.ExecutionCount = result.ExecutionCount;
            cell.OutputStamp = stamp;
        }
    }

    /// <summary>What is wrong with the outputs of a notebook; nothing when they are those of its code.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="places">Names that no output may hold: of this machine, of its folders.</param>
    public static IEnumerable<string> Faults(NotebookDocument notebook, IReadOnlyCollection<string> places)
    {
        var number = 0;
        foreach (var (cell, stamp) in OutputStamp.Of(notebook))
        {
            number++;
            if (cell.OutputStamp is null) yield return $"cell {number} ({cell.Id}) has no outputs that were kept";
            else if (cell.OutputStamp != stamp) yield return $"the outputs of cell {number} ({cell.Id}) are of other code: it, or a cell before it, was edited since";
            if (cell.Outputs.Any(IsError)) yield return $"cell {number} ({cell.Id}) failed";
            foreach (var place in PlacesIn(cell, number, places)) yield return place;
        }
    }

    private static IEnumerable<string> PlacesIn(NotebookCell cell, int number, IReadOnlyCollection<string> places) =>
        cell.Outputs.OfType<JsonObject>().SelectMany(Texts).Select(text => Place(text, places)).OfType<string>()
            .Select(found => $"an output of cell {number} ({cell.Id}) names a machine, a folder or an address: {found}");

    private static bool IsError(JsonNode? output) => (string?)output?["output_type"] == "error";

    private static IEnumerable<string> Texts(JsonObject output)
    {
        if (output["text"] is { } stream) yield return MultilineText.Read(stream);
        foreach (var (mime, form) in output["data"] as JsonObject ?? [])
            if (form is not null && (mime.StartsWith("text/", StringComparison.Ordinal) || mime == "image/svg+xml"))
                yield return MultilineText.Read(form);
    }

    private static string? Place(string text, IReadOnlyCollection<string> places)
    {
        if (Address().Match(text) is { Success: true } address) return address.Value;
        return places.FirstOrDefault(place => Regex.IsMatch(text, string.Create(CultureInfo.InvariantCulture, $@"(?<![\w.-]){Regex.Escape(place)}(?![\w-])")));
    }

    // Folders that only one machine has, and addresses of hosts.
    [GeneratedRegex(@"(?<![\w.:/<])/(?:home|root|tmp|Users|mnt|workspaces?)/[\w.-]+|\b[A-Z]:\\\w[^\s""<]*|\b(?:127|10|192\.168)\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?\b|\blocalhost:\d+")]
    private static partial Regex Address();
}
