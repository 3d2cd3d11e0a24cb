namespace TorchQuant.Interactive;

/// <summary>
/// Curves that grow while a model trains. Any thread may add. In a notebook:
/// <code>
/// var history = new TrainingHistory("Loss while training", "loss [nats]").Show();
/// for (var step = 1; step &lt;= steps; step++) { …; history.Add("train", step, loss); }
/// </code>
/// </summary>
[TypeFormatterSource(typeof(HistoryFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Svg, MimeTypes.Text])]
public sealed class TrainingHistory
{
    /// <summary>The least time between two updates of what is attached.</summary>
    public static readonly TimeSpan UpdateEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly List<(string Name, List<double> X, List<double> Y)> _series = [];
    private Action<TrainingHistory>? _update;
    private long _lastUpdate;
    private bool _updating;

    /// <summary>A history without points.</summary>
    /// <param name="title">The chart's title.</param>
    /// <param name="y">What is measured, with its unit.</param>
    /// <param name="x">What goes on; null: steps.</param>
    /// <param name="clock">The clock; null: the system's.</param>
    public TrainingHistory(string title, Axis y, Axis? x = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(y);
        (Title, Y, X, _clock) = (title, y, x ?? new Axis("step"), clock ?? TimeProvider.System);
        _lastUpdate = _clock.GetTimestamp();
    }

    /// <summary>The chart's title.</summary>
    public string Title { get; }

    /// <summary>What is measured.</summary>
    public Axis Y { get; }

    /// <summary>What goes on.</summary>
    public Axis X { get; }

    /// <summary>Adds a point to a curve, which begins with its first point.</summary>
    /// <param name="series">The curve; a data type's name gives its colour.</param>
    /// <param name="x">Where: step or epoch.</param>
    /// <param name="y">The value; NaN leaves a gap.</param>
    public void Add(string series, double x, double y)
    {
        ArgumentNullException.ThrowIfNull(series);
        Action<TrainingHistory> update;
        lock (_lock)
        {
            var curve = _series.FirstOrDefault(entry => entry.Name == series);
            if (curve.Name is null) _series.Add(curve = (series, [], []));
            curve.X.Add(x);
            curve.Y.Add(y);
            if (_update is null || _updating || _clock.GetElapsedTime(_lastUpdate) < UpdateEvery) return;
            (_updating, _lastUpdate, update) = (true, _clock.GetTimestamp(), _update);
        }
        try
        {
            update(this);
        }
        finally
        {
            lock (_lock) _updating = false;
        }
    }

    /// <summary>Calls <paramref name="update"/> with this history at most every two seconds, from the thread that adds.</summary>
    /// <returns>This history.</returns>
    public TrainingHistory Attach(Action<TrainingHistory> update)
    {
        ArgumentNullException.ThrowIfNull(update);
        lock (_lock) _update += update;
        return this;
    }

    /// <summary>Shows the curves in the running notebook, where they grow; elsewhere it does nothing. Call <see cref="Complete"/> at the end.</summary>
    /// <returns>This history.</returns>
    public TrainingHistory Show() => NotebookDisplay.TryShow(this) is { } shown ? Attach(shown) : this;

    /// <summary>Shows the last points too, which may have come too soon after those before them.</summary>
    public void Complete()
    {
        Action<TrainingHistory>? update;
        lock (_lock) update = _update;
        update?.Invoke(this);
    }

    /// <summary>The curves as they are now.</summary>
    public XyChart ToChart()
    {
        lock (_lock) return Chart.Lines(Title, [.. _series.Select(curve => new LineSeries(curve.Name, curve.X, curve.Y))], X, Y);
    }

    /// <summary>The chart as an HTML fragment.</summary>
    public string ToHtml() => ToChart().ToHtml();

    /// <summary>The chart as an SVG document.</summary>
    public string ToSvg() => ToChart().ToSvg();

    /// <summary>The chart as text.</summary>
    public string ToText() => ToChart().ToText();

    /// <inheritdoc/>
    public override string ToString() => ToText();
}
