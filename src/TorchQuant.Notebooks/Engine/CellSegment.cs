using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Engine.Magic;

namespace TorchQuant.Notebooks.Engine;

/// <summary>The languages a cell can be in.</summary>
internal enum CellLanguage
{
    CSharp,
    FSharp,
    Markdown,
    Html,
}

/// <summary>
/// A stretch of a cell in one language, or one magic command that is no language. <paramref name="Code"/> keeps the cell's line numbers: the lines that belong to other
/// segments are blank.
/// </summary>
/// <param name="Language">The language; of a command, the one that stands around it.</param>
/// <param name="Code">The text, below as many empty lines as there are lines above it in the cell.</param>
/// <param name="Lines">The number of those lines.</param>
/// <param name="Offset">Where the text begins in the cell.</param>
/// <param name="Command">The command; its segment has no text.</param>
internal sealed partial record CellSegment(CellLanguage Language, string Code, int Lines, int Offset, MagicCommand? Command = null)
{
    /// <summary>Where the text ends in the cell.</summary>
    public int End => Offset + Code.Length - Lines;

    /// <summary>Cuts a cell at its magic commands. Segments without any text are left out.</summary>
    /// <exception cref="CellException">A magic command that this host does not know.</exception>
    public static IReadOnlyList<CellSegment> Split(string code, CellLanguage first)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        var segments = new List<CellSegment>();
        var (language, start) = (first, 0);
        for (var i = 0; i < lines.Length; i++)
        {
            if (Magic().Match(lines[i]) is not { Success: true } magic) continue;
            Add(start, i);
            start = i + 1;
            var name = magic.Groups[1].Value;
            if (MagicCommands.Find(name) is not null) segments.Add(new CellSegment(language, "", i, 0, MagicCommand.Parse(lines[i], i + 1)));
            else language = LanguageOf(name, i + 1);
        }
        Add(start, lines.Length);
        return segments;

        void Add(int from, int to)
        {
            var text = string.Join('\n', lines[from..to]);
            if (text.Trim().Length > 0) segments.Add(new CellSegment(language, new string('\n', from) + text, from, lines[..from].Sum(line => line.Length + 1)));
        }
    }

    /// <summary>Whether a word is a language's name.</summary>
    public static bool IsLanguage(string name) => Known(name) is not null;

    /// <summary>The language of a cell whose metadata or magic command names it.</summary>
    /// <exception cref="CellException">There is no such language.</exception>
    public static CellLanguage LanguageOf(string name, int? line) => Known(name)
        ?? throw new CellException($"'{name}' is not a language or magic command of this host. It knows {string.Join(", ", MagicCommands.Names)}, and #r and #i directives.", line);

    private static CellLanguage? Known(string name) => name.ToLowerInvariant() switch
    {
        "csharp" or "c#" or "cs" => CellLanguage.CSharp,
        "fsharp" or "f#" or "fs" => CellLanguage.FSharp,
        "markdown" or "md" => CellLanguage.Markdown,
        "html" => CellLanguage.Html,
        _ => null,
    };

    // A word right after #! in the first column; the argument of a magic command ends the match.
    [GeneratedRegex(@"^#!([\w#-]+)")]
    private static partial Regex Magic();
}
