using System.Diagnostics;
using Microsoft.CodeAnalysis.Scripting;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// One notebook being run: takes cells, sends what they show to one output. It knows nothing of files, terminals or protocols, so that a
/// Jupyter front end can drive it as the headless runner does; another language is one more engine beside <see cref="CSharpScriptEngine"/>.
/// There is one session per process (see <see cref="DisplayTarget"/>).
/// </summary>
internal sealed class NotebookSession : IDisposable
{
    private readonly ICellOutput _output;
    private readonly CSharpScriptEngine _csharp;
    private readonly PackageSession _packages;
    private readonly CellThread _thread = new();
    private readonly CellSources _sources = new();
    private readonly ConsoleCapture _console;

    /// <param name="folder">The notebook's folder: what relative paths in <c>#r</c> and <c>#load</c> start from.</param>
    /// <param name="output">Where everything goes that cells show.</param>
    public NotebookSession(string folder, ICellOutput output)
    {
        _output = output;
        _csharp = new CSharpScriptEngine(folder);
        _packages = new PackageSession(folder);
        _console = new ConsoleCapture(output);
        DisplayTarget.Set(output);
    }

    /// <summary>The C# variables there are after the cells that ran.</summary>
    public IEnumerable<ScriptVariable> Variables => _csharp.Variables;

    /// <summary>Runs one cell. Its errors are in the result; only errors of the host itself are thrown.</summary>
    /// <param name="number">The cell's number, by which errors name it.</param>
    /// <param name="code">The cell's text with its directives and magic commands.</param>
    /// <param name="language">The language it begins in.</param>
    /// <param name="stop">Stops waiting for the cell (and ends a package restore); code that runs in it goes on until the process ends.</param>
    public async Task<CellResult> RunAsync(int number, string code, CellLanguage language, CancellationToken stop)
    {
        var file = CellSources.FileOf(number);
        _sources.Add(file, code);
        var clock = Stopwatch.StartNew();
        var work = _thread.Run(() => ExecuteAsync(code, file, language, stop));
        try
        {
            var error = await work.WaitAsync(stop).ConfigureAwait(false);
            return new CellResult(error is null ? CellStatus.Succeeded : CellStatus.Failed, error, clock.Elapsed);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new CellResult(CellStatus.Stopped, null, clock.Elapsed);
        }
    }

    public void Dispose()
    {
        DisplayTarget.Set(null);
        _console.Dispose();
        _packages.Dispose();
        _thread.Dispose();
    }

    private async Task<CellError?> ExecuteAsync(string code, string file, CellLanguage language, CancellationToken stop)
    {
        try
        {
            var segments = CellSegment.Split(code, language);
            for (var i = 0; i < segments.Count; i++)
            {
                var error = await ExecuteAsync(segments[i], file, isLast: i == segments.Count - 1, stop).ConfigureAwait(false);
                if (error is not null) return error;
            }
            return null;
        }
        catch (CellException e)
        {
            return CellError.FromDirective(e, file, _sources);
        }
    }

    private async Task<CellError?> ExecuteAsync(CellSegment segment, string file, bool isLast, CancellationToken stop)
    {
        switch (segment.Language)
        {
            case CellLanguage.Markdown:
                _output.Display(MimeBundle.OfMarkdown(segment.Code.Trim()), id: null);
                return null;
            case CellLanguage.CSharp:
                var directives = CellDirectives.Parse(segment.Code);
                if (await PrepareAsync(directives, stop).ConfigureAwait(false) is { } broken) return broken;
                return await RunCSharpAsync(directives.Code, file, showValue: isLast).ConfigureAwait(false);
            default:
                throw new CellException($"{segment.Language} cells cannot be run by this host, only C# and markdown ones.");
        }
    }

    private async Task<CellError?> PrepareAsync(CellDirectives directives, CancellationToken stop)
    {
        foreach (var assembly in directives.Assemblies) _packages.AddFile(assembly);
        IReadOnlyList<ExtensionScript> extensions = [];
        if (directives.Packages.Count > 0 || directives.Sources.Count > 0)
            extensions = await _packages.AddAsync(directives, _output, stop).ConfigureAwait(false);
        _csharp.SetPackageReferences(_packages.References);
        TorchStart.TryLoad(_packages.References);
        foreach (var extension in extensions)
        {
            _sources.Add(extension.File, extension.Code);
            if (await RunCSharpAsync(extension.Code, extension.File, showValue: true).ConfigureAwait(false) is { } error) return error;
        }
        return null;
    }

    private async Task<CellError?> RunCSharpAsync(string code, string file, bool showValue)
    {
        if (string.IsNullOrWhiteSpace(code)) return null;
        var outcome = await _csharp.RunAsync(code, file).ConfigureAwait(false);
        if (outcome.Errors.Count > 0) return CellError.FromDiagnostics(outcome.Errors, _sources);
        if (outcome.Exception is { } exception) return CellError.FromException(exception, file, _sources);
        if (showValue && outcome.HasValue) _output.Display(ValueFormatter.Format(outcome.Value, []), id: null);
        return null;
    }
}
