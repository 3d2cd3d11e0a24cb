using TorchQuant.Notebooks.Engine.Magic;

namespace TorchQuant.Notebooks.Engine.Editing;

/// <summary>Help while a cell is typed: finds the stretch in which the cursor stands and asks its language.</summary>
internal sealed class CellEditor(Func<CellLanguage, ILanguageEngine?> engineOf)
{
    public async Task<Completions> CompleteAsync(string cell, int position, CellLanguage first)
    {
        var line = cell[(cell.LastIndexOf('\n', Math.Max(0, position - 1)) + 1)..position];
        if (line.StartsWith("#!", StringComparison.Ordinal))
        {
            var known = MagicCommands.Names.Where(magic => magic.StartsWith(line, StringComparison.OrdinalIgnoreCase)).Select(magic => new Completion(magic, "magic"));
            return new Completions(position - line.Length, position, [.. known]);
        }
        if (At(cell, position, first) is not ({ } engine, { } segment)) return Completions.None(position);
        var shift = segment.Offset - segment.Lines;
        var found = await engine.CompleteAsync(segment.Code, position - shift).ConfigureAwait(false);
        return found with { Start = found.Start + shift, End = found.End + shift };
    }

    public async Task<string?> InspectAsync(string cell, int position, CellLanguage first) =>
        At(cell, position, first) is ({ } engine, { } segment) ? await engine.InspectAsync(segment.Code, position - segment.Offset + segment.Lines).ConfigureAwait(false) : null;

    public Completeness Check(string cell, CellLanguage first)
    {
        try
        {
            var last = CellSegment.Split(cell, first) is [.., var segment] ? segment : null;
            return last is not null && engineOf(last.Language) is { } engine ? engine.Check(last.Code) : Completeness.Complete;
        }
        catch (CellException)
        {
            return Completeness.Invalid;
        }
    }

    private (ILanguageEngine? Engine, CellSegment? Segment) At(string cell, int position, CellLanguage first)
    {
        try
        {
            // The text is normalised when it is cut: then positions in it would be others.
            if (cell.Contains('\r', StringComparison.Ordinal)) return default;
            var segment = CellSegment.Split(cell, first).FirstOrDefault(s => s.Command is null && position >= s.Offset && position <= s.End)
                ?? (string.IsNullOrWhiteSpace(cell) ? new CellSegment(first, cell, 0, 0) : null);
            return segment is null ? default : (engineOf(segment.Language), segment);
        }
        catch (CellException)
        {
            return default; // a magic command that is not whole yet
        }
    }
}
