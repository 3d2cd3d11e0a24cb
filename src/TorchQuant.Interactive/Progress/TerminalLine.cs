using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A bar on one line of a terminal, written over itself; work that is done within a second leaves nothing.</summary>
internal sealed class TerminalLine(TextWriter terminal)
{
    private static readonly TimeSpan After = TimeSpan.FromSeconds(1);

    private int _columns;

    public void Show(ProgressBar bar)
    {
        if (bar.Elapsed < After) return;
        var text = bar.ToText();
        // Blanks over what was longer before.
        terminal.Write("\r" + text + new string(' ', Math.Max(0, _columns - TextMetrics.Columns(text))));
        _columns = TextMetrics.Columns(text);
        if (!bar.IsComplete) return;
        terminal.WriteLine();
        _columns = 0;
    }
}
