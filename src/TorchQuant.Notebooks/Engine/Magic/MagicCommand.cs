using System.Text;

namespace TorchQuant.Notebooks.Engine.Magic;

/// <summary>A magic command as it is written: <c>#!name value --option value</c>. A value with spaces stands in double quotes.</summary>
internal sealed record MagicCommand(string Name, IReadOnlyList<string> Values, IReadOnlyDictionary<string, string> Options, int Line)
{
    /// <exception cref="CellException">A quote that is not closed, an option without its value or twice.</exception>
    public static MagicCommand Parse(string text, int line)
    {
        var words = Words(text, line);
        var values = new List<string>();
        var options = new Dictionary<string, string>();
        for (var i = 1; i < words.Count; i++)
        {
            if (!words[i].StartsWith("--", StringComparison.Ordinal)) values.Add(words[i]);
            else if (i + 1 == words.Count) throw new CellException($"{words[i]} has no value.", line);
            else if (!options.TryAdd(words[i], words[++i])) throw new CellException($"{words[i - 1]} is given twice.", line);
        }
        return new MagicCommand(words[0][2..], values, options, line);
    }

    /// <summary>Makes sure that the command has the values and options that it knows, and no others.</summary>
    /// <exception cref="CellException">It has not; the message says how it is written.</exception>
    public void Check(string usage, int values, params string[] options)
    {
        var unknown = Options.Keys.FirstOrDefault(option => !options.Contains(option));
        if (unknown is not null || Values.Count != values)
            throw new CellException($"#!{Name} {(unknown is null ? $"has {Values.Count} values, not {values}" : $"has no option {unknown}")}. Write {usage}.", Line);
    }

    public string Required(string option, string usage) =>
        Options.TryGetValue(option, out var value) ? value : throw new CellException($"#!{Name} needs {option}. Write {usage}.", Line);

    private static List<string> Words(string text, int line)
    {
        var words = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }
            var word = new StringBuilder();
            for (; i < text.Length && !char.IsWhiteSpace(text[i]); i++)
            {
                if (text[i] != '"')
                {
                    word.Append(text[i]);
                    continue;
                }
                for (i++; i < text.Length && text[i] != '"'; i++)
                {
                    if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '"' or '\\') i++;
                    word.Append(text[i]);
                }
                if (i == text.Length) throw new CellException("A quote is not closed.", line);
            }
            words.Add(word.ToString());
        }
        return words;
    }
}
