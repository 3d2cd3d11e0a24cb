namespace TorchQuant.Notebooks.Run;

/// <summary>
/// Watches for a cell that ends the whole process, by <c>Environment.Exit</c> or by an exception on a thread of its own: without this the
/// outputs of that cell are lost, and Exit(0) looks like a notebook that ran to its end.
/// </summary>
internal sealed class UnexpectedEnd : IDisposable
{
    private readonly Action<string> _onEnd;
    private int _told;

    /// <param name="onEnd">Writes what there is; gets the reason.</param>
    public UnexpectedEnd(Action<string> onEnd)
    {
        _onEnd = onEnd;
        AppDomain.CurrentDomain.UnhandledException += OnException;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.UnhandledException -= OnException;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
    }

    private void OnException(object sender, UnhandledExceptionEventArgs e)
    {
        var what = e.ExceptionObject is Exception exception ? $"{exception.GetType().Name}: {exception.Message}" : e.ExceptionObject.ToString();
        Tell($"an exception on another thread ended the process: {what}");
    }

    private void OnExit(object? sender, EventArgs e)
    {
        Tell("the process was ended from within, for example by Environment.Exit");
        if (Environment.ExitCode == ExitCodes.Success) Environment.ExitCode = ExitCodes.Failed;
    }

    private void Tell(string reason)
    {
        if (Interlocked.Exchange(ref _told, 1) == 0) _onEnd(reason);
    }
}
