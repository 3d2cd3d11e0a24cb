using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>
/// How far a long work is: share, time gone, time left, a message. Any thread may report. <see cref="Progress.Start"/> gives one that shows itself in notebooks and terminals:
/// <code>
/// var bar = Progress.Start(steps, "training");
/// for (var i = 0; i &lt; steps; i++) { …; bar.Report(i + 1, $"loss {loss:F2}"); }
/// </code>
/// </summary>
[TypeFormatterSource(typeof(ProgressFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class ProgressBar : IProgress<int>, IProgress<double>
{
    /// <summary>The least time between two updates of what is attached, except the last.</summary>
    public static readonly TimeSpan UpdateEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Lock _showing = new();
    private readonly TimeProvider _clock;
    private readonly long _start;
    private Action<ProgressBar>? _update;
    private State _state = new(0, "", TimeSpan.Zero);
    private long _lastUpdate;
    private bool _updating, _ended;

    /// <summary>A bar for <paramref name="total"/> steps, of which none is done; the time starts now.</summary>
    /// <param name="total">How many steps there are, at least 0.</param>
    /// <param name="title">What is being done.</param>
    /// <param name="clock">The clock; null: the system's.</param>
    public ProgressBar(long total, string title = "", TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(total);
        ArgumentNullException.ThrowIfNull(title);
        (Total, Title, _clock) = (total, title, clock ?? TimeProvider.System);
        _start = _lastUpdate = _clock.GetTimestamp();
    }

    /// <summary>How many steps there are.</summary>
    public long Total { get; }

    /// <summary>What is being done.</summary>
    public string Title { get; }

    /// <summary>How many steps are done, 0 to <see cref="Total"/>.</summary>
    public long Done => Now().Done;

    /// <summary>The time from the start to the last report.</summary>
    public TimeSpan Elapsed => Now().Elapsed;

    /// <summary>True when all steps are done.</summary>
    public bool IsComplete => Done >= Total;

    /// <summary>
    /// Calls <paramref name="update"/> with this bar when there is something new to show: at most four times a second, and once when all steps are done. The calls come from the thread that reports, one at a time.
    /// </summary>
    /// <returns>This bar.</returns>
    public ProgressBar Attach(Action<ProgressBar> update)
    {
        ArgumentNullException.ThrowIfNull(update);
        lock (_lock) _update += update;
        return this;
    }

    /// <summary>Says that <paramref name="done"/> steps are done; more than <see cref="Total"/> counts as all, less than before is allowed (a restart).</summary>
    /// <param name="done">How many in all, not how many more.</param>
    /// <param name="message">Shown beside the bar; null: as it was.</param>
    public void Report(long done, string? message = null)
    {
        Action<ProgressBar> update;
        lock (_lock)
        {
            var finishes = done >= Total && !_ended;
            _ended = done >= Total;
            _state = new State(Math.Clamp(done, 0, Total), message ?? _state.Message, _clock.GetElapsedTime(_start));
            // A thread that reports while another one shows is not held up; what it reported is shown by the next update. The end is always shown.
            if (_update is null || (!finishes && (_updating || _clock.GetElapsedTime(_lastUpdate) < UpdateEvery))) return;
            (_updating, _lastUpdate, update) = (true, _clock.GetTimestamp(), _update);
        }
        try
        {
            lock (_showing) update(this);
        }
        finally
        {
            lock (_lock) _updating = false;
        }
    }

    /// <summary>Says how many steps are done.</summary>
    void IProgress<int>.Report(int value) => Report(value);

    /// <summary>Says which share is done, 0 to 1.</summary>
    void IProgress<double>.Report(double value) => Report((long)(value * Total));

    /// <summary>Says that all steps are done.</summary>
    public void Complete(string? message = null) => Report(Total, message);

    /// <summary>The bar as an HTML fragment.</summary>
    public string ToHtml()
    {
        var state = Now();
        var title = Title.Length > 0 ? $"<b>{Markup.Encode(Title)}</b> " : "";
        var width = Markup.Number(100 * Share(state));
        return HtmlPage.Block($"""
            <div>{title}{Markup.Encode(Figures(state))}</div>
            <div class="tq-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{width}"><div style="width:{width}%;background:{(state.Done >= Total ? Palette.Float16 : Palette.Float)}"></div></div>
            {HtmlPage.Paragraph("tq-note", state.Message)}
            """.TrimEnd());
    }

    /// <summary>The bar as one line.</summary>
    public string ToText()
    {
        const int columns = 30;
        var state = Now();
        var full = (int)(Share(state) * columns);
        return (Title.Length > 0 ? Title + " " : "") + "[" + new string('█', full) + new string('░', columns - full) + "] " + Figures(state) + (state.Message.Length > 0 ? " · " + state.Message : "");
    }

    /// <inheritdoc/>
    public override string ToString() => ToText();

    private double Share(State state) => Total == 0 ? 1 : (double)state.Done / Total;

    private string Figures(State state)
    {
        var percent = Math.Floor(100 * Share(state));
        var figures = $"{NumberText.Fixed(percent, 0)}% · {NumberText.Fixed(state.Done, 0)} of {NumberText.Fixed(Total, 0)} · {NumberText.Duration(state.Elapsed)}";
        if (state.Done == 0 || state.Done >= Total) return figures;
        // As fast on as until now.
        var left = state.Elapsed * ((double)(Total - state.Done) / state.Done);
        return $"{figures}, {NumberText.Duration(left)} left";
    }

    // The time stands still between reports, so that all forms of one update agree, and at the end.
    private State Now()
    {
        lock (_lock) return _state;
    }

    private readonly record struct State(long Done, string Message, TimeSpan Elapsed);
}
