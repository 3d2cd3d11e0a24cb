using System.Globalization;
using System.Text;
using Spectre.Console;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Run;

/// <summary>
/// Tells a person at a terminal, or a log of CI, what is going on: a line per cell with its time, what cells print, and displayed values as
/// text. A value that is updated is rewritten in place on a terminal (at most ten times a second); in a log its changes are lines, at most one in ten seconds.
/// Its last state is always shown.
/// </summary>
internal sealed class TerminalReport : ICellOutput
{
    private const int MostLines = 60;
    private static readonly TimeSpan s_frame = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_sparse = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly TextWriter _writer;
    private readonly bool _interactive;
    private readonly int _width;
    private readonly TimeProvider _time;
    private readonly IAnsiConsole _console;
    private readonly Dictionary<string, Shown> _shown = [];
    private readonly StringBuilder _partial = new(); // in a log, the line that is not whole yet
    private string? _live; // the display that ends where the cursor is, so that it can be rewritten
    private bool _headerOpen;
    private bool _lineStart = true;

    /// <param name="writer">The terminal or log.</param>
    /// <param name="interactive">Whether it understands cursor movements and somebody watches.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="time">The clock for throttling.</param>
    public TerminalReport(TextWriter writer, bool interactive, int width, TimeProvider time)
    {
        (_writer, _interactive, _width, _time) = (writer, interactive, width, time);
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = interactive ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = interactive ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        _console.Profile.Width = interactive ? width : 1000; // a log is not wrapped
    }

    /// <summary>The console of this process as it is now; called before cells redirect it.</summary>
    public static TerminalReport ForConsole()
    {
        var interactive = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb"
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
        return new TerminalReport(Console.Out, interactive, interactive ? Math.Max(40, Console.WindowWidth) : 1000, TimeProvider.System);
    }

    public void CellStarted(int number, int count, string label)
    {
        lock (_gate)
        {
            StartLine();
            _console.Markup($"[bold blue][[{number}/{count}]][/] [bold]{label.EscapeMarkup()}[/]");
            (_headerOpen, _lineStart) = (true, false);
        }
    }

    public void CellEnded(CellResult result)
    {
        lock (_gate)
        {
            Flush();
            if (!_headerOpen) StartLine();
            var mark = result.Status == CellStatus.Succeeded ? "green" : "red";
            _console.MarkupLine($"{(_headerOpen ? " ..." : "     ")} [{mark}]{Seconds(result.Duration)}[/]");
            (_headerOpen, _lineStart) = (false, true);
        }
    }

    public void Failed(string headline, CellError? error)
    {
        lock (_gate)
        {
            StartLine();
            _console.MarkupLine($"[bold red]{headline.EscapeMarkup()}[/]");
            foreach (var line in error?.Traceback ?? []) _writer.WriteLine("  " + line);
        }
    }

    public void Say(string text)
    {
        lock (_gate)
        {
            StartLine();
            _console.MarkupLine(text.EscapeMarkup());
        }
    }

    public void Files(IEnumerable<(string What, string Path)> files)
    {
        lock (_gate)
        {
            StartLine();
            var table = new Grid().AddColumn().AddColumn();
            foreach (var (what, path) in files) table.AddRow(new Text("  " + what), new Text(path));
            _console.Write(table);
        }
    }

    public void Write(OutputStream stream, string text)
    {
        lock (_gate)
        {
            LeaveLive();
            BreakHeader();
            if (_interactive)
            {
                _writer.Write(text);
                _lineStart = text[^1] == '\n';
            }
            else
            {
                // A log has no cursor to return: a line is written when it is whole, as a terminal would show it in the end.
                _partial.Append(text);
                if (!text.Contains('\n', StringComparison.Ordinal)) return;
                var lines = _partial.ToString();
                var whole = lines.LastIndexOf('\n') + 1;
                _writer.Write(TerminalText.Settle(lines[..whole]));
                _partial.Clear().Append(lines, whole, lines.Length - whole);
            }
            _writer.Flush();
        }
    }

    public void Display(MimeBundle bundle, string? id)
    {
        lock (_gate)
        {
            LeaveLive();
            StartLine();
            if (id is not null) _shown[id] = new Shown();
            Print(id, bundle);
        }
    }

    public void Update(string id, MimeBundle bundle)
    {
        lock (_gate)
        {
            if (!_shown.TryGetValue(id, out var shown)) return;
            shown.Pending = bundle;
            if (_time.GetElapsedTime(shown.At) < (_interactive && _live == id ? s_frame : s_sparse)) return;
            Reprint(id, shown);
        }
    }

    public static string Seconds(TimeSpan time) => time.TotalMinutes < 1
        ? time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s"
        : $"{(int)time.TotalMinutes} min {time.Seconds} s";

    private void Reprint(string id, Shown shown)
    {
        if (shown.Pending is not { } bundle) return;
        if (_interactive && _live == id && shown.Lines > 0) _writer.Write($"\e[{shown.Lines}A\e[J");
        else StartLine();
        Print(id, bundle);
    }

    private void Print(string? id, MimeBundle bundle)
    {
        var text = bundle.Plain ?? $"({string.Join(", ", bundle.Forms.Select(form => form.Key))}: see the page)";
        var lines = TerminalText.Settle(text).TrimEnd().Split('\n');
        if (lines.Length > MostLines) lines = [.. lines[..MostLines], $"… {lines.Length - MostLines} more lines, in the page"];
        foreach (var line in lines)
        {
            // A line that wraps would take more rows than are counted for rewriting.
            var cut = _interactive && id is not null && line.Length >= _width ? line[..(_width - 1)] : line;
            _writer.WriteLine(cut.TrimEnd('\r'));
        }
        _writer.Flush();
        _live = id;
        if (id is null) return;
        var shown = _shown[id];
        (shown.Lines, shown.At, shown.Pending) = (lines.Length, _time.GetTimestamp(), null);
    }

    // Before something else is written below the live display it gets its last state.
    private void LeaveLive()
    {
        if (_live is { } id && _interactive && _shown.TryGetValue(id, out var shown)) Reprint(id, shown);
        _live = null;
    }

    private void Flush()
    {
        LeaveLive();
        foreach (var (id, shown) in _shown) Reprint(id, shown);
        _live = null;
    }

    private void BreakHeader()
    {
        if (!_headerOpen) return;
        _writer.WriteLine();
        (_headerOpen, _lineStart) = (false, true);
    }

    private void StartLine()
    {
        BreakHeader();
        if (_partial.Length > 0) _writer.WriteLine(TerminalText.Settle(_partial.ToString()));
        _partial.Clear();
        if (!_lineStart) _writer.WriteLine();
        _lineStart = true;
    }

    private sealed class Shown
    {
        public int Lines { get; set; }
        public long At { get; set; }
        public MimeBundle? Pending { get; set; }
    }
}
