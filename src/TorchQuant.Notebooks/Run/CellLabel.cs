using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Run;

/// <summary>What the terminal calls a code cell: the heading right above it, otherwise its first line that says something.</summary>
internal static class CellLabel
{
    private const int Longest = 70;

    public static string Of(IReadOnlyList<NotebookCell> cells, NotebookCell cell)
    {
        var index = cells.ToList().IndexOf(cell);
        var above = index > 0 && cells[index - 1].IsMarkdown ? Heading(cells[index - 1].Source) : null;
        var label = above ?? FirstLine(cell.Source);
        return label.Length <= Longest ? label : label[..(Longest - 1)] + "…";
    }

    private static string? Heading(string markdown) => markdown.Split('\n')
        .LastOrDefault(line => line.StartsWith('#') && line.TrimStart('#').StartsWith(' '))?.TrimStart('#').Trim();

    private static string FirstLine(string code)
    {
        var lines = code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).ToArray();
        var first = lines.FirstOrDefault(line => !line.StartsWith('#') && !line.StartsWith("using ", StringComparison.Ordinal)) ?? lines[0];
        return first.StartsWith("//", StringComparison.Ordinal) ? first.TrimStart('/').Trim() : first;
    }
}
