using System.Diagnostics;
using TorchQuant.Notebooks.Engine.Editing;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// One notebook being run: takes cells, sends what they show to one output. It knows nothing of files, terminals or protocols, so that a
/// Jupyter front end drives it as the headless runner does.
/// There is one session per process (see <see cref="SessionTarget"/>).
/// </summary>
internal sealed class NotebookSession : IDisposable
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(3);

    private readonly CellInterpreter _cells;
    private readonly CellThread _thread = new();
    private readonly CellSources _sources = new();
    private readonly ConsoleCapture _console;
    private volatile CellRun? _running;

    /// <param name="folder">The notebook's folder: what relative paths in <c>#r</c> and <c>#load</c> start from.</param>
    /// <param name="output">Where everything goes that cells show.</param>
    /// <param name="input">Whom cells can ask; null when the notebook runs headless.</param>
    public NotebookSession(string folder, ICellOutput output, ICellInput? input = null)
    {
        _cells = new CellInterpreter(folder, output, _sources);
        Editor = new CellEditor(_cells.EngineOf);
        _console = new ConsoleCapture(output, input);
        SessionTarget.Set(output, input);
    }

    /// <summary>Help while cells are typed; not while one runs.</summary>
    public CellEditor Editor { get; }

    /// <summary>The C# variables there are after the cells that ran.</summary>
    public IEnumerable<CellVariable> Variables => VariablesOf(CellLanguage.CSharp);

    /// <summary>The variables of a language.</summary>
    public IEnumerable<CellVariable> VariablesOf(CellLanguage language) => _cells.EngineOf(language)?.Variables ?? [];

    /// <summary>Starts, in the time until the first cell comes, what it would have to wait for: the compiler's own compilation to machine code.</summary>
    public void WarmUp(CellLanguage language) => _thread.Run(() =>
    {
        if (language == CellLanguage.FSharp) _cells.FSharp.WarmUp();
        else _cells.CSharp.WarmUp();
        return ValueFormatter.Format(0, []);
    });

    /// <summary>The same for the first completion. Called between cells.</summary>
    public void WarmUpEditor() => _cells.CSharp.WarmUpEditor();

    /// <summary>Runs one cell. Its errors are in the result; only errors of the host itself are thrown.</summary>
    /// <param name="number">The cell's number, by which errors name it.</param>
    /// <param name="code">The cell's text with its directives and magic commands.</param>
    /// <param name="language">The language it begins in.</param>
    /// <param name="stop">Interrupts the cell; one that does not stop then (it is in native code, or waits for what never ends) is left to itself after a moment.</param>
    public Task<CellResult> RunAsync(int number, string code, CellLanguage language, CancellationToken stop) =>
        RunAsync(CellSources.FileOf(number), code, language, stop);

    /// <summary>Runs one cell that errors know by <paramref name="file"/>.</summary>
    public async Task<CellResult> RunAsync(string file, string code, CellLanguage language, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var (interrupted, error) = await OnThreadAsync(file, code, run => _cells.Execute(code, file, language, run), stop).ConfigureAwait(false);
        return new CellResult(interrupted ? CellStatus.Stopped : error is null ? CellStatus.Succeeded : CellStatus.Failed, error, clock.Elapsed);
    }

    /// <summary>Evaluates an expression without showing it.</summary>
    /// <returns>Its value, or why there is none; neither when it was interrupted.</returns>
    public async Task<(MimeBundle? Value, CellError? Error)> EvaluateAsync(string file, string expression, CellLanguage language) =>
        (await OnThreadAsync(file, expression, run => _cells.Evaluate(expression, file, language, run), CancellationToken.None).ConfigureAwait(false)).Result;

    private async Task<(bool Interrupted, T? Result)> OnThreadAsync<T>(string file, string code, Func<CellRun, T> work, CancellationToken stop)
    {
        _sources.Add(file, code);
        var run = _running = new CellRun();
        var working = _thread.Run(() => work(run));
        try
        {
            using (stop.Register(run.Interrupt))
            {
                await Task.WhenAny(working, Task.Delay(Timeout.Infinite, stop)).ConfigureAwait(false);
                return (false, await (stop.IsCancellationRequested ? working.WaitAsync(s_grace, CancellationToken.None) : working).ConfigureAwait(false));
            }
        }
        catch (Exception) when (run.Token.IsCancellationRequested)
        {
            return (true, default);
        }
        finally
        {
            _running = null;
        }
    }

    /// <summary>Stops the running cell, if there is one: its RunAsync then returns that it was stopped.</summary>
    public void Interrupt() => _running?.Interrupt();

    /// <summary>An exception in the terms of the cells, wherever it was thrown.</summary>
    public CellError Explain(Exception exception) => CellError.FromException(exception, "", _sources);

    public void Dispose()
    {
        SessionTarget.Set(null, null);
        _console.Dispose();
        _cells.Dispose();
        _thread.Dispose();
    }
}
