using System.Diagnostics;
using TorchQuant.Notebooks.Engine.Editing;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// One notebook being run: takes cells, sends what they show to one output. It knows nothing of files, terminals or protocols, so that a
/// Jupyter front end can drive it as the headless runner does; another language is one more engine beside <see cref="CSharpScriptEngine"/>.
/// There is one session per process (see <see cref="SessionTarget"/>).
/// </summary>
internal sealed class NotebookSession : IDisposable
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(3);

    private readonly ICellOutput _output;
    private readonly CSharpScriptEngine _csharp;
    private readonly Dictionary<CellLanguage, ILanguageEngine> _engines;
    private readonly PackageSession _packages;
    private readonly CellThread _thread = new();
    private readonly CellSources _sources = new();
    private readonly ConsoleCapture _console;
    private volatile CellRun? _running;

    /// <param name="folder">The notebook's folder: what relative paths in <c>#r</c> and <c>#load</c> start from.</param>
    /// <param name="output">Where everything goes that cells show.</param>
    /// <param name="input">Whom cells can ask; null when the notebook runs headless.</param>
    public NotebookSession(string folder, ICellOutput output, ICellInput? input = null)
    {
        _output = output;
        _csharp = new CSharpScriptEngine(folder);
        _engines = new() { [CellLanguage.CSharp] = _csharp };
        _packages = new PackageSession(folder);
        Editor = new CellEditor(language => _engines.GetValueOrDefault(language));
        _console = new ConsoleCapture(output, input);
        SessionTarget.Set(output, input);
    }

    /// <summary>Help while cells are typed; not while one runs.</summary>
    public CellEditor Editor { get; }

    /// <summary>The C# variables there are after the cells that ran.</summary>
    public IEnumerable<CellVariable> Variables => _csharp.Variables;

    /// <summary>Starts, in the time until the first cell comes, what it would have to wait for: the compiler's own compilation to machine code.</summary>
    public void WarmUp() => _thread.Run(() =>
    {
        _csharp.WarmUp();
        return ValueFormatter.Format(0, []);
    });

    /// <summary>The same for the first completion. Called between cells.</summary>
    public void WarmUpEditor() => _csharp.WarmUpEditor();

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
        var (interrupted, error) = await OnThreadAsync(file, code, run => Execute(code, file, language, run), stop).ConfigureAwait(false);
        return new CellResult(interrupted ? CellStatus.Stopped : error is null ? CellStatus.Succeeded : CellStatus.Failed, error, clock.Elapsed);
    }

    /// <summary>Evaluates an expression without showing it.</summary>
    /// <returns>Its value, or why there is none; neither when it was interrupted.</returns>
    public async Task<(MimeBundle? Value, CellError? Error)> EvaluateAsync(string file, string expression) =>
        (await OnThreadAsync(file, expression, run => Evaluate(expression, file, showValue: true, run), CancellationToken.None).ConfigureAwait(false)).Result;

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
        catch (Exception e) when (run.Token.IsCancellationRequested && e is OperationCanceledException or TimeoutException)
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
        _packages.Dispose();
        _csharp.Dispose();
        _thread.Dispose();
    }

    private CellError? Execute(string code, string file, CellLanguage language, CellRun run)
    {
        try
        {
            var segments = CellSegment.Split(code, language);
            for (var i = 0; i < segments.Count; i++)
                if (Execute(segments[i], file, isLast: i == segments.Count - 1, run) is { } error)
                    return error;
            return null;
        }
        catch (CellException e)
        {
            return CellError.FromDirective(e, file, _sources);
        }
    }

    private CellError? Execute(CellSegment segment, string file, bool isLast, CellRun run)
    {
        switch (segment.Language)
        {
            case CellLanguage.Markdown:
                _output.Display(MimeBundle.OfMarkdown(segment.Code.Trim()), id: null);
                return null;
            case CellLanguage.CSharp:
                var directives = CellDirectives.Parse(segment.Code);
                if (Prepare(directives, run) is { } broken) return broken;
                return RunCSharp(directives.Code, file, showValue: isLast, run);
            default:
                throw new CellException($"{segment.Language} cells cannot be run by this host, only C# and markdown ones.");
        }
    }

    private CellError? Prepare(CellDirectives directives, CellRun run)
    {
        foreach (var assembly in directives.Assemblies) _packages.AddFile(assembly);
        IReadOnlyList<ExtensionScript> extensions = [];
        if (directives.Packages.Count > 0 || directives.Sources.Count > 0)
            extensions = _packages.AddAsync(directives, _output, run.Token).GetAwaiter().GetResult();
        _csharp.SetPackageReferences(_packages.References);
        TorchStart.TryLoad(_packages.References);
        foreach (var extension in extensions)
        {
            _sources.Add(extension.File, extension.Code);
            if (RunCSharp(extension.Code, extension.File, showValue: true, run) is { } error) return error;
        }
        return null;
    }

    private CellError? RunCSharp(string code, string file, bool showValue, CellRun run)
    {
        if (string.IsNullOrWhiteSpace(code)) return null;
        var (value, error) = Evaluate(code, file, showValue, run);
        if (value is not null) _output.Display(value, id: null);
        return error;
    }

    private (MimeBundle? Value, CellError? Error) Evaluate(string code, string file, bool showValue, CellRun run)
    {
        var outcome = _csharp.Run(code, file, run);
        if (outcome.Errors.Count > 0) return (null, CellError.FromDiagnostics(outcome.Errors, _sources));
        if (outcome.Exception is { } exception) return (null, CellError.FromException(exception, file, _sources));
        if (!showValue || !outcome.HasValue) return (null, null);
        try
        {
            MimeBundle? shown = null;
            // Formatting runs the user's code too: formatters, enumerators.
            run.Invoke(() => shown = ValueFormatter.Format(outcome.Value, []));
            return (shown, null);
        }
        catch (Exception e) when (!run.Token.IsCancellationRequested)
        {
            return (null, CellError.FromException(e, file, _sources));
        }
    }
}
