using System.Diagnostics;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Html;

namespace TorchQuant.Notebooks.Run;

/// <summary>The folder for the results cannot be written; the message says which and why.</summary>
internal sealed class OutputFolderException(string message) : Exception(message);

/// <summary>
/// Runs the code cells of one notebook in order and writes what came of it: the executed notebook after every cell (a crash of native code
/// loses nothing that was shown), the page at the end. Cells run with the notebook's folder as current directory, as in every host; the folder for
/// results is in the environment variable <c>TORCHQUANT_OUT</c>.
/// </summary>
internal sealed class NotebookRun
{
    /// <summary>The environment variable by which a notebook finds the folder for files that it makes.</summary>
    public const string OutputVariable = "TORCHQUANT_OUT";

    private readonly RunSettings _settings;
    private readonly TerminalReport _report;
    private readonly NotebookDocument _document;
    private readonly OutputRecorder _recorder = new();
    private readonly CellLanguage _language;
    private int _executed;

    /// <exception cref="NotebookFormatException">The file is not a notebook, or not one of C#.</exception>
    /// <exception cref="ParameterException">Parameters are given, but the notebook has no cell for them.</exception>
    public NotebookRun(RunSettings settings, TerminalReport report)
    {
        (_settings, _report) = (settings, report);
        _document = NotebookDocument.Load(settings.Notebook);
        _language = NotebookLanguage.Of(_document, settings.Notebook);
        foreach (var injected in _document.Cells.Where(cell => cell.Tags.Contains(NotebookParameters.InjectedTag)).ToArray()) _document.Remove(injected);
        foreach (var cell in _document.Cells) cell.Clear();
        if (settings.Parameters.Any && !_document.Cells.Any(IsParameters))
            throw new ParameterException($"--param: {settings.Notebook} has no code cell tagged '{NotebookParameters.Tag}', so it has no parameters.");
    }

    /// <returns>The exit code.</returns>
    /// <exception cref="OutputFolderException">The results cannot be written; no cell was run.</exception>
    public async Task<int> RunAsync(CancellationToken interrupted)
    {
        PrepareFolders();
        var clock = Stopwatch.StartNew();
        using var timeUp = new CancellationTokenSource();
        if (_settings.Timeout is { } limit) timeUp.CancelAfter(limit);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeUp.Token, interrupted);

        int exitCode;
        using (new UnexpectedEnd(EndedFromWithin))
        using (var session = new NotebookSession(Path.GetDirectoryName(_settings.Notebook)!, new TeeOutput(_recorder, _report)))
            exitCode = await RunCellsAsync(session, interrupted, stop.Token).ConfigureAwait(false);

        WritePage();
        _report.Say($"{(exitCode == ExitCodes.Success ? "Executed" : "Stopped after")} {_executed} {(_executed == 1 ? "cell" : "cells")} in {TerminalReport.Seconds(clock.Elapsed)}.");
        List<(string, string)> files = [("page", _settings.PageFile), ("notebook", _settings.ExecutedFile)];
        if (File.Exists(_settings.MetricsFile)) files.Add(("metrics", _settings.MetricsFile));
        _report.Files(files);
        return exitCode;
    }

    private async Task<int> RunCellsAsync(NotebookSession session, CancellationToken interrupted, CancellationToken stop)
    {
        // By index: the cell of set parameters comes in on the way.
        for (var i = 0; i < _document.Cells.Count; i++)
        {
            var cell = _document.Cells[i];
            if (!cell.IsCode || string.IsNullOrWhiteSpace(cell.Source)) continue;
            var before = Names(session);
            var result = await RunCellAsync(session, cell, stop).ConfigureAwait(false);
            if (result.Status == CellStatus.Stopped)
            {
                var byUser = interrupted.IsCancellationRequested;
                Stopped(byUser ? "the run was interrupted" : $"the time limit of {_settings.Timeout!.Value.TotalSeconds:0.###} s for the notebook was reached");
                return byUser ? ExitCodes.Interrupted : ExitCodes.Failed;
            }
            if (result.Error is { } error) return Failed(error);
            if (!_settings.Parameters.Any || !IsParameters(cell)) continue;
            try
            {
                var language = LanguageOf(cell);
                var declared = session.VariablesOf(language).Where(variable => !before.Contains((language, variable.Name))).ToArray();
                var switched = language == _language ? "" : $"#!{language.ToString().ToLowerInvariant()}\n";
                _document.InsertCodeAfter(cell, switched + _settings.Parameters.Assignments(declared, language), NotebookParameters.InjectedTag);
            }
            catch (ParameterException e)
            {
                return Failed(new CellError("ParameterError", e.Message, null, null, []));
            }
        }
        Save();
        return ExitCodes.Success;
    }

    private async Task<CellResult> RunCellAsync(NotebookSession session, NotebookCell cell, CancellationToken stop)
    {
        var number = ++_executed;
        _report.CellStarted(number, CellCount(), CellLabel.Of(_document.Cells, cell));
        _recorder.Begin(cell);
        cell.ExecutionCount = number;
        var started = DateTimeOffset.UtcNow;
        CellResult result;
        try
        {
            result = await session.RunAsync(number, cell.Source, LanguageOf(cell), stop).ConfigureAwait(false);
        }
        catch (CellException e)
        {
            result = new CellResult(CellStatus.Failed, new CellError("NotebookError", e.Message, null, null, []), TimeSpan.Zero);
        }
        cell.SetTimes(started, result.Duration);
        if (result.Error is { } error) _recorder.Fail(error);
        _report.CellEnded(result);
        Save();
        return result;
    }

    private int Failed(CellError error)
    {
        var place = error.Line is { } line ? $", line {line}" : "";
        _report.Failed($"Cell {_executed}{place}: {error.Name}: {error.Message}", error);
        Save();
        return ExitCodes.Failed;
    }

    private void Stopped(string reason)
    {
        var error = new CellError("Stopped", $"Cell {_executed} was stopped: {reason}.", null, null, []);
        _recorder.Fail(error);
        _report.Failed(error.Message, error);
        Save();
    }

    private void EndedFromWithin(string reason)
    {
        Stopped(reason);
        WritePage();
    }

    private void WritePage() =>
        File.WriteAllText(_settings.PageFile, HtmlPage.Render(_document, _settings.Name, Path.GetDirectoryName(_settings.Notebook)!));

    private void PrepareFolders()
    {
        try
        {
            Directory.CreateDirectory(_settings.OutputFolder);
            File.Delete(_settings.MetricsFile); // of an earlier run; a failing run must not leave figures that look like its own
            Save(); // known before the first cell runs, not after minutes
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutputFolderException($"The folder {_settings.OutputFolder} cannot be written: {e.Message} Name another one with --out.");
        }
        Environment.SetEnvironmentVariable(OutputVariable, _settings.OutputFolder);
        Environment.CurrentDirectory = Path.GetDirectoryName(_settings.Notebook)!;
    }

    private void Save()
    {
        _recorder.Save();
        _document.Save(_settings.ExecutedFile);
    }

    // The cell of set parameters counts from the start.
    private int CellCount() => _document.Cells.Count(cell => cell.IsCode && !string.IsNullOrWhiteSpace(cell.Source))
        + (_settings.Parameters.Any && !_document.Cells.Any(cell => cell.Tags.Contains(NotebookParameters.InjectedTag)) ? 1 : 0);

    private static bool IsParameters(NotebookCell cell) => cell.IsCode && cell.Tags.Contains(NotebookParameters.Tag);

    private static HashSet<(CellLanguage, string)> Names(NotebookSession session) =>
        new[] { CellLanguage.CSharp, CellLanguage.FSharp }.SelectMany(language => session.VariablesOf(language).Select(variable => (language, variable.Name))).ToHashSet();

    private CellLanguage LanguageOf(NotebookCell cell) => cell.Language is { } name ? CellSegment.LanguageOf(name, line: null) : _language;
}
