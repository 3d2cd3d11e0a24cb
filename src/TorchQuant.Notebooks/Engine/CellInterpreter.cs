using Microsoft.DotNet.Interactive;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine.Magic;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Engine;

/// <summary>What cells mean: cuts them into their languages and commands, gives the languages their packages, shows the values. Called on the cells' thread.</summary>
internal sealed class CellInterpreter : IDisposable
{
    private const int DeepestImport = 20;

    private readonly ICellOutput _output;
    private readonly CellSources _sources;
    private readonly CSharpScriptEngine _csharp;
    private readonly FSharpEngine _fsharp;
    private readonly PackageSession _packages;
    private readonly Stack<string> _imports = [];

    public CellInterpreter(string folder, ICellOutput output, CellSources sources)
    {
        (Folder, _output, _sources) = (folder, output, sources);
        _csharp = new CSharpScriptEngine(folder);
        _fsharp = new FSharpEngine(folder);
        _packages = new PackageSession(folder);
    }

    /// <summary>The notebook's folder.</summary>
    public string Folder { get; }

    public CSharpScriptEngine CSharp => _csharp;

    public FSharpEngine FSharp => _fsharp;

    public ILanguageEngine? EngineOf(CellLanguage language) => language switch { CellLanguage.CSharp => _csharp, CellLanguage.FSharp => _fsharp, _ => null };

    /// <exception cref="CellException">The language has no variables.</exception>
    public ILanguageEngine EngineOf(CellLanguage language, int line) =>
        EngineOf(language) ?? throw new CellException($"{language} has no variables. Name csharp or fsharp.", line);

    /// <returns>Why the cell failed, or null.</returns>
    public CellError? Execute(string code, string file, CellLanguage language, CellRun run)
    {
        var atEnd = new List<Action>();
        try
        {
            var segments = CellSegment.Split(code, language);
            for (var i = 0; i < segments.Count; i++)
                if (Execute(segments[i], file, isLast: i == segments.Count - 1 && _imports.Count == 0, atEnd, run) is { } error)
                    return error;
            return null;
        }
        catch (Exception e) when (e is CellException or NotebookFormatException)
        {
            return CellError.FromDirective(e, file, _sources);
        }
        finally
        {
            if (!run.Token.IsCancellationRequested) atEnd.ForEach(action => action());
        }
    }

    /// <summary>Runs code and formats the value in which it ends.</summary>
    public (MimeBundle? Value, CellError? Error) Evaluate(string code, string file, CellLanguage language, CellRun run)
    {
        if (EngineOf(language) is not { } engine) return (null, null);
        var outcome = engine.Run(code, file, run);
        if (outcome.Errors.Count > 0) return (null, CellError.FromDiagnostics(outcome.Errors, _sources));
        if (outcome.Exception is { } exception) return (null, CellError.FromException(exception, file, _sources));
        if (!outcome.HasValue || outcome.Value is DisplayedValue) return (null, null); // the handle of what display has shown already
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

    /// <summary>Shows a value beside the cell's result.</summary>
    public void Show(MimeBundle bundle) => _output.Display(bundle, Guid.NewGuid().ToString("N"));

    /// <summary>Declares a variable that holds the value of another one.</summary>
    /// <exception cref="CellException">The name or the value is not for that language.</exception>
    public void SetVariable(CellLanguage language, string name, CellVariable of, int line, CellRun run)
    {
        try
        {
            var engine = EngineOf(language, line);
            engine.SetPackageReferences(_packages.References); // the value's type may be a package's that this language has not met
            if (engine == _csharp) _csharp.SetVariable(name, of, run);
            else _fsharp.SetVariable(name, of.Value);
        }
        catch (CellException e)
        {
            throw new CellException(e.Message, line);
        }
    }

    /// <summary>Runs a piece of an imported file.</summary>
    public CellError? Import(string path, string file, string code, CellLanguage language, int line, CellRun run)
    {
        if (_imports.Count == DeepestImport) throw new CellException($"The imports are nested {DeepestImport} deep: {string.Join(" in ", _imports.Select(Path.GetFileName))}. A file that imports itself never ends.", line);
        _imports.Push(path);
        try
        {
            _sources.Add(file, code);
            return Execute(code, file, language, run);
        }
        finally
        {
            _imports.Pop();
        }
    }

    public void Dispose()
    {
        _packages.Dispose();
        _csharp.Dispose();
        _fsharp.Dispose();
    }

    private CellError? Execute(CellSegment segment, string file, bool isLast, List<Action> atEnd, CellRun run)
    {
        run.Token.ThrowIfCancellationRequested();
        if (segment.Command is { } command)
        {
            if (MagicCommands.Find(command.Name)!.Act(new MagicContext(this, command, segment.Language, run)) is { } later) atEnd.Add(later);
            return null;
        }
        switch (segment.Language)
        {
            case CellLanguage.Markdown:
                _output.Display(MimeBundle.OfMarkdown(segment.Code.Trim()), id: null);
                return null;
            case CellLanguage.Html:
                _output.Display(ValueFormatter.OfMarkup(segment.Code.Trim()), id: null);
                return null;
        }
        var directives = CellDirectives.Parse(segment.Code, segment.Language);
        return Prepare(directives, segment.Language, run) ?? RunCode(directives.Code, file, segment.Language, isLast, run);
    }

    private CellError? Prepare(CellDirectives directives, CellLanguage language, CellRun run)
    {
        foreach (var assembly in directives.Assemblies) _packages.AddFile(assembly);
        IReadOnlyList<ExtensionScript> extensions = [];
        if (directives.Packages.Count > 0 || directives.Sources.Count > 0)
            extensions = _packages.AddAsync(directives, _output, run.Token).GetAwaiter().GetResult();
        var references = _packages.References;
        EngineOf(language)!.SetPackageReferences(references);
        if (extensions.Count > 0) _csharp.SetPackageReferences(references);
        TorchStart.TryLoad(references);
        foreach (var extension in extensions)
        {
            _sources.Add(extension.File, extension.Code);
            if (RunCode(extension.Code, extension.File, CellLanguage.CSharp, isLast: true, run) is { } error) return error;
        }
        return null;
    }

    private CellError? RunCode(string code, string file, CellLanguage language, bool isLast, CellRun run)
    {
        if (string.IsNullOrWhiteSpace(code)) return null;
        var (value, error) = Evaluate(code, file, language, run);
        if (value is not null) _output.Display(value, isLast ? null : Guid.NewGuid().ToString("N"));
        return error;
    }
}
