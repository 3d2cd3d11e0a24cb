namespace TorchQuant.Notebooks.Documents;

/// <summary>A notebook as .NET Interactive's text format has it (.dib): cells that begin with magic commands of languages, and a block of JSON after <c>#!meta</c>.</summary>
internal static class DibText
{
    /// <summary>The text with the block of JSON blank, so that lines keep their numbers: a cell like any other.</summary>
    public static string WithoutMetadata(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var inside = false;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("#!", StringComparison.Ordinal)) inside = lines[i].Trim() == "#!meta";
            if (inside) lines[i] = "";
        }
        return string.Join('\n', lines);
    }
}
