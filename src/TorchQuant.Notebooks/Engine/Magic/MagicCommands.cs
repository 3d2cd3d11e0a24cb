using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.DotNet.Interactive.Formatting;

namespace TorchQuant.Notebooks.Engine.Magic;

/// <summary>What a running magic command works with.</summary>
internal sealed record MagicContext(CellInterpreter Cells, MagicCommand Command, CellLanguage Language, CellRun Run);

/// <summary>One row of the table of magic commands.</summary>
/// <param name="Name">The word after <c>#!</c>.</param>
/// <param name="Usage">How it is written.</param>
/// <param name="Meaning">What it does.</param>
/// <param name="Act">Does it; what it returns is done at the end of the cell.</param>
internal sealed record MagicRow(string Name, string Usage, string Meaning, Func<MagicContext, Action?> Act);

/// <summary>The magic commands that are no languages. Their names, and those of their options, are .NET Interactive's.</summary>
internal static class MagicCommands
{
    private static readonly MagicRow[] s_rows =
    [
        new("import", ImportCommand.Usage, "Runs a notebook or a file of code here.", ImportCommand.Act),
        new("lsmagic", "#!lsmagic", "Lists the magic commands.", List),
        new("set", SetCommand.Usage, "Sets a variable: to a value, to another language's variable, or to what is typed in.", SetCommand.Act),
        new("share", ShareCommand.Usage, "Brings a variable of another language here.", ShareCommand.Act),
        new("time", "#!time", "Measures how long the rest of the cell takes.", Time),
        new("who", "#!who", "Lists the names of the variables.", Who),
        new("whos", "#!whos", "Lists the variables with types and values.", Whos),
    ];

    private static readonly (string Name, string Meaning)[] s_languages =
    [
        ("csharp", "What follows is C#."), ("fsharp", "What follows is F#."), ("markdown", "What follows is shown as markdown."), ("html", "What follows is shown as HTML."),
    ];

    /// <summary>Languages and commands, as they are written.</summary>
    public static IEnumerable<string> Names => s_languages.Select(language => language.Name).Concat(s_rows.Select(row => row.Name)).Select(name => "#!" + name);

    public static MagicRow? Find(string name) => Array.Find(s_rows, row => row.Name == name);

    private static Action? List(MagicContext context)
    {
        context.Command.Check("#!lsmagic", values: 0);
        var all = s_languages.Select(language => ("#!" + language.Name, language.Meaning)).Concat(s_rows.Select(row => (row.Usage, row.Meaning)));
        context.Cells.Show(Table(["command", "meaning"], all.Select(row => new[] { row.Item1, row.Item2 })));
        return null;
    }

    private static Action? Time(MagicContext context)
    {
        context.Command.Check("#!time", values: 0);
        var clock = Stopwatch.StartNew();
        return () => context.Cells.Show(MimeBundle.OfText(string.Create(CultureInfo.InvariantCulture, $"Wall time: {clock.Elapsed.TotalMilliseconds:0.##} ms")));
    }

    private static Action? Who(MagicContext context)
    {
        context.Command.Check("#!who", values: 0);
        context.Cells.Show(MimeBundle.OfText(string.Join('\n', Variables(context).Select(variable => variable.Name))));
        return null;
    }

    private static Action? Whos(MagicContext context)
    {
        context.Command.Check("#!whos", values: 0);
        MimeBundle? table = null;
        // Values are shown as text by the user's own types.
        context.Run.Invoke(() => table = Table(["variable", "type", "value"], Variables(context).Select(variable =>
            new[] { variable.Name, variable.Type.ToDisplayString(PlainTextFormatter.MimeType), Short(variable.Value.ToDisplayString(PlainTextFormatter.MimeType)) })));
        context.Cells.Show(table!);
        return null;
    }

    private static IEnumerable<CellVariable> Variables(MagicContext context) =>
        context.Cells.EngineOf(context.Language, context.Command.Line).Variables.OrderBy(variable => variable.Name, StringComparer.Ordinal);

    private static string Short(string text)
    {
        const int Longest = 100;
        var line = text.Split('\n')[0].TrimEnd();
        return line.Length > Longest || line.Length < text.TrimEnd().Length ? line[..Math.Min(line.Length, Longest)] + " …" : line;
    }

    private static MimeBundle Table(string[] heads, IEnumerable<string[]> rows)
    {
        var all = rows.ToArray();
        var widths = heads.Select((head, i) => all.Select(row => row[i].Length).Append(head.Length).Max()).ToArray();
        string Line(string[] row) => string.Join("  ", row.Select((text, i) => text.PadRight(widths[i]))).TrimEnd();
        var html = new StringBuilder("<table><thead><tr>");
        foreach (var head in heads) html.Append("<th>").Append(head).Append("</th>");
        html.Append("</tr></thead><tbody>");
        foreach (var row in all)
        {
            html.Append("<tr>");
            foreach (var text in row) html.Append("<td>").Append(WebUtility.HtmlEncode(text)).Append("</td>");
            html.Append("</tr>");
        }
        html.Append("</tbody></table>");
        return new MimeBundle([new(HtmlFormatter.MimeType, html.ToString()), new(PlainTextFormatter.MimeType, string.Join('\n', all.Prepend(heads).Select(Line)))]);
    }
}
