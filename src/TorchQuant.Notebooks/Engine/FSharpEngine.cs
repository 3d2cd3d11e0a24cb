using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Interactive;
using Microsoft.FSharp.Core;
using TorchQuant.Notebooks.Engine.Editing;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// F# by the compiler's own interactive session. It starts when the first F# code comes: that takes a second or two. A piece of code that fails or is interrupted
/// declares nothing. Compiler and code run in one call there, so an interrupt gives the compiler time to end.
/// </summary>
internal sealed class FSharpEngine : ILanguageEngine
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1.5); // for the compiler to come to its end

    private static readonly Type s_unit = typeof(Unit);

    private readonly string _folder;
    private readonly Lazy<Shell.FsiEvaluationSession> _session;
    private readonly HashSet<string> _packages = [];

    /// <param name="folder">The folder that <c>#load</c> is relative to.</param>
    public FSharpEngine(string folder)
    {
        _folder = folder;
        _session = new Lazy<Shell.FsiEvaluationSession>(Start);
    }

    public IEnumerable<CellVariable> Variables => !_session.IsValueCreated ? [] : _session.Value.GetBoundValues()
        .Where(bound => bound.Name != "it")
        .Select(bound => new CellVariable(bound.Name, bound.Value.ReflectionType, bound.Value.ReflectionValue, IsReadOnly: true));

    public void SetPackageReferences(IReadOnlyCollection<string> assemblies)
    {
        var added = assemblies.Where(path => !_packages.Contains(path)).ToArray();
        if (added.Length == 0) return;
        var outcome = Evaluate(string.Join('\n', added.Select(path => $"#r @\"{path}\"")), "references");
        if (outcome.Errors.Count > 0) throw new CellException($"F# cannot reference the packages: {outcome.Errors[0].Message}");
        _packages.UnionWith(added);
    }

    public CodeOutcome Run(string code, string file, CellRun run)
    {
        CodeOutcome outcome = default;
        var interruptible = FSharpInterruptChecks.Insert(code, file);
        run.Grace = s_grace;
        run.Invoke(() => outcome = Evaluate(interruptible, file));
        run.Token.ThrowIfCancellationRequested();
        return outcome;
    }

    public void SetVariable(string name, object? value)
    {
        if (value is null) throw new CellException($"{name} is null, and F# has no type for it. Share a value.");
        if (CSharpTypeName.IsOfCell(value.GetType()))
            throw new CellException($"{name} is of the type {value.GetType().Name}, which a C# cell declares; F# cannot use such types. Share a value of a type of .NET's or of a package's.");
        try
        {
            _session.Value.AddBoundValue(name, value);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new CellException($"F# cannot hold {name}, a {value.GetType()}: {e.Message} Share a value of a type of .NET's or of a package that #r has loaded.");
        }
    }

    /// <summary>Starts the session and compiles a piece of code that changes nothing.</summary>
    public void WarmUp() => Evaluate("1 + 1 |> ignore", "");

    public Task<Completions> CompleteAsync(string code, int position) => Task.FromResult(FSharpEditor.Complete(_session.Value, code, position));

    public Task<string?> InspectAsync(string code, int position) => Task.FromResult(FSharpEditor.Inspect(_session.Value, code, position));

    public Completeness Check(string code) => FSharpEditor.Check(_session.Value, code);

    public void Dispose()
    {
        if (_session.IsValueCreated) ((IDisposable)_session.Value).Dispose();
    }

    private CodeOutcome Evaluate(string code, string file)
    {
        var (result, diagnostics) = _session.Value.EvalInteractionNonThrowing(code, file, null).ToValueTuple();
        var errors = diagnostics.Where(diagnostic => diagnostic.Severity == FSharpDiagnosticSeverity.Error)
            .Select(d => new CodeDiagnostic(d.ErrorNumberText, d.Message, Path.GetFileName(d.FileName), d.Range.StartLine, d.Range.StartColumn)).ToArray();
        if (errors.Length > 0) return CodeOutcome.OfErrors(errors);
        if (result is FSharpChoice<FSharpOption<Shell.FsiValue>, Exception>.Choice2Of2 failed) return CodeOutcome.OfException(failed.Item);
        var value = ((FSharpChoice<FSharpOption<Shell.FsiValue>?, Exception>.Choice1Of2)result).Item?.Value;
        return value is null || value.ReflectionType == s_unit ? CodeOutcome.Nothing : new CodeOutcome([], null, true, value.ReflectionValue);
    }

    private Shell.FsiEvaluationSession Start()
    {
        string[] arguments =
        [
            "fsi", "--noninteractive", "--nologo", "--quiet", "--gui-", "--targetprofile:netcore", "--usesdkrefs-", "--langversion:latest",
            // One assembly in memory for each piece: with the debug information that lines in exceptions need. Functions of earlier cells stay calls, for the same reason.
            "--multiemit+", "--debug+", "--optimize+", "--crossoptimize-", $"--lib:{_folder}",
            .. HostReferences.Own.Select(path => "--reference:" + path),
        ];
        var session = Shell.FsiEvaluationSession.Create(
            Shell.FsiEvaluationSession.GetDefaultConfiguration(), arguments, TextReader.Null, TextWriter.Null, TextWriter.Null, FSharpOption<bool>.Some(false), null);
        // What .NET Interactive opens.
        session.EvalInteractionNonThrowing("open System\nopen System.IO\nopen System.Text\nopen Microsoft.DotNet.Interactive\nopen Microsoft.DotNet.Interactive.Formatting\nopen type Microsoft.DotNet.Interactive.Kernel", "start", null);
        return session;
    }
}
