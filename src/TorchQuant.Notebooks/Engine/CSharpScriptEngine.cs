using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Scripting;
using TorchQuant.Notebooks.Engine.Editing;
using TorchQuant.Notebooks.Interactive;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// C# as Roslyn's scripting compiles it: each piece of code sees the variables, types, methods and usings of those before it. A piece that does not
/// compile changes nothing; one that throws or is interrupted keeps what it did until then. The compiled pieces are run from here and not by Roslyn's own runner, which
/// compiles and runs in one step and forgets what an interrupted piece declared. Not thread-safe: <see cref="CellThread"/> calls it.
/// </summary>
internal sealed class CSharpScriptEngine : ILanguageEngine
{
    // What .NET Interactive imports, no more: a notebook written here must run there.
    private static readonly string[] s_imports =
    [
        "System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq",
        "Microsoft.DotNet.Interactive", "Microsoft.DotNet.Interactive.Formatting", "Microsoft.DotNet.Interactive.Kernel",
    ];

    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1.5); // for a check to be reached

    private static readonly EmitOptions s_emit = new(debugInformationFormat: DebugInformationFormat.PortablePdb);

    // One object per file for the life of the session: the compiler then knows a type of an earlier cell as the same type.
    private readonly Dictionary<string, MetadataReference> _packages = [];

    // Files that #r in a #load-ed file names; the host's own #r knows the others.
    private readonly Dictionary<string, string> _directives = new(StringComparer.OrdinalIgnoreCase);

    private readonly Lazy<CSharpEditor> _editor = new(() => new CSharpEditor());
    private readonly HashSet<string> _shared = []; // files that types of shared values come from
    private IReadOnlyCollection<string> _packagePaths = [];
    private readonly HashSet<MetadataReference> _known = []; // to the compiler, by the pieces so far
    private readonly ScriptOptions _options;
    private List<MetadataReference> _references = [.. HostReferences.All];
    private Script<object>? _script;
    private object?[] _submissions = [null]; // Roslyn's layout: the object of piece n, which holds its variables, in slot n; slot 0 is the host's
    private int _last;

    /// <param name="folder">The folder that <c>#load</c> is relative to.</param>
    public CSharpScriptEngine(string folder)
    {
        _options = ScriptOptions.Default
            .WithReferences(Array.Empty<MetadataReference>())
            .WithImports(s_imports)
            .WithLanguageVersion(LanguageVersion.Latest)
            .WithAllowUnsafe(true)
            // Training loops run in cells: the compiler optimises. Line numbers of exceptions need the debug information all the same.
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(Encoding.UTF8)
            .WithMetadataResolver(ScriptMetadataResolver.Default.WithBaseDirectory(folder))
            .WithSourceResolver(ScriptSourceResolver.Default.WithBaseDirectory(folder));
        AssemblyLoadContext.Default.Resolving += Resolve;
    }

    public IEnumerable<CellVariable> Variables => _submissions[1..(_last + 1)].Reverse().OfType<object>().SelectMany(Fields).DistinctBy(variable => variable.Name);

    public void SetPackageReferences(IReadOnlyCollection<string> assemblies)
    {
        _packagePaths = assemblies;
        _references = [.. HostReferences.All];
        foreach (var path in assemblies.Union(_shared))
        {
            if (!_packages.TryGetValue(path, out var reference))
                _packages[path] = reference = HostReferences.Shown(path) ?? MetadataReference.CreateFromFile(path, documentation: Documentation(path));
            _references.Add(reference);
        }
    }

    public CodeOutcome Run(string code, string file, CellRun run)
    {
        var script = Continue(code, file);
        var compilation = script.GetCompilation();
        if (!HasCode(compilation))
        {
            var wrong = Errors(compilation.GetDiagnostics(run.Token));
            if (wrong.Length > 0) return CodeOutcome.OfErrors(wrong);
            _script = script;
            return CodeOutcome.Nothing;
        }

        // With the checks first; where that does not compile, as it was written: for its errors in their places, and in case the checks are the reason.
        using var image = new MemoryStream();
        using var symbols = new MemoryStream();
        var interruptible = Continue(InterruptChecks.Insert(code), file);
        if (interruptible.GetCompilation().Emit(image, symbols, options: s_emit, cancellationToken: run.Token).Success)
        {
            (script, compilation) = (interruptible, interruptible.GetCompilation());
        }
        else
        {
            image.SetLength(0);
            symbols.SetLength(0);
            var emitted = compilation.Emit(image, symbols, options: s_emit, cancellationToken: run.Token);
            if (!emitted.Success) return CodeOutcome.OfErrors(Errors(emitted.Diagnostics));
        }
        var factory = Load(image, symbols, compilation, run.Token);
        var hasValue = EndsInValue(compilation);

        var submissions = new object?[_last + 2];
        _submissions.AsSpan(0, _last + 1).CopyTo(submissions);
        try
        {
            run.Grace = s_grace;
            Task<object?>? running = null;
            run.Invoke(() => running = factory(submissions!));
            var value = run.Await(running!);
            return new CodeOutcome([], null, hasValue, value);
        }
        catch (Exception e) when (!run.Token.IsCancellationRequested)
        {
            return CodeOutcome.OfException(e);
        }
        finally
        {
            // It is null only if the interrupt came before the first statement: then nothing was declared.
            if (submissions[^1] is not null && Declares(compilation))
                (_script, _submissions, _last) = (script, submissions, _last + 1);
        }
    }

    /// <summary>Declares a variable that holds the value of another one, of the type that it has there; of the value's own type if that says more.</summary>
    /// <exception cref="CellException">The name is not one of C#'s.</exception>
    public void SetVariable(string name, CellVariable of, CellRun run)
    {
        if (!SyntaxFacts.IsValidIdentifier(name)) throw new CellException($"'{name}' is not a name in C#.");
        var type = of.Type == typeof(object) && of.Value is { } known ? known.GetType() : of.Type;
        foreach (var part in CSharpTypeName.Parts(type))
            if (part.Assembly is { IsDynamic: false, Location.Length: > 0 } assembly && !HostReferences.Files.Contains(assembly.Location))
                _shared.Add(assembly.Location);
        SetPackageReferences(_packagePaths);
        SharedValue.Put(of.Value);
        var declared = CSharpTypeName.Of(type);
        var outcome = Run($"{declared} @{name} = ({declared})global::TorchQuant.Notebooks.Interactive.SharedValue.Take();", "shared value", run);
        if (outcome.Errors.Count > 0) throw new CellException($"{name} of type {type} cannot be declared in C#: {outcome.Errors[0].Message}");
    }

    /// <summary>Compiles a piece of code that changes nothing.</summary>
    public void WarmUp() => Continue("System.Console.Write(1 + 1)", "").GetCompilation().Emit(Stream.Null, options: s_emit);

    /// <summary>Loads the editor's services, on a workspace of its own, so that a cell may run meanwhile.</summary>
    public void WarmUpEditor()
    {
        const string Text = "System.Console.Wr";
        var script = Continue(Text, "");
        Task.Run(async () =>
        {
            using var editor = new CSharpEditor();
            await editor.CompleteAsync(script, Text.Length).ConfigureAwait(false);
        });
    }

    public Task<Completions> CompleteAsync(string code, int position) => _editor.Value.CompleteAsync(Continue(code, ""), position);

    public Task<string?> InspectAsync(string code, int position) => _editor.Value.InspectAsync(Continue(code, ""), position);

    public Completeness Check(string code) => CSharpEditor.Check(code);

    public void Dispose()
    {
        AssemblyLoadContext.Default.Resolving -= Resolve;
        if (_editor.IsValueCreated) _editor.Value.Dispose();
    }

    private Script<object> Continue(string code, string file)
    {
        // A piece inherits the references of those before it; given again they would be counted again, in memory that grows with the number of pieces. New ones therefore
        // come by a piece without code, and the compiler reads their files once.
        var added = _references.Where(_known.Add).ToArray();
        if (added.Length > 0)
        {
            var options = _options.WithReferences(added);
            _script = _script is null ? CSharpScript.Create<object>("", options) : _script.ContinueWith<object>("", options);
        }
        return _script!.ContinueWith<object>(code, _options.WithFilePath(file));
    }

    private Func<object[], Task<object?>> Load(MemoryStream image, MemoryStream symbols, Compilation compilation, CancellationToken stop)
    {
        foreach (var reference in compilation.DirectiveReferences)
            if (reference is PortableExecutableReference { FilePath: { } path })
                _directives[Path.GetFileNameWithoutExtension(path)] = path;
        (image.Position, symbols.Position) = (0, 0);
        var context = Declares(compilation) ? AssemblyLoadContext.Default : new PassingContext();
        var assembly = context.LoadFromStream(image, symbols);
        var entry = compilation.GetEntryPoint(stop)!;
        return assembly.GetType(entry.ContainingType.MetadataName, throwOnError: true)!
            .GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!
            .CreateDelegate<Func<object[], Task<object?>>>();
    }

    // For a piece that only does something: .NET drops its code when nothing holds it any more.
    private sealed class PassingContext() : AssemblyLoadContext(isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName) => Default.LoadFromAssemblyName(assemblyName);
    }

    // What a package says about its types, for inspection.
    private static XmlDocumentationProvider? Documentation(string assembly) =>
        Path.ChangeExtension(assembly, ".xml") is var file && File.Exists(file) ? XmlDocumentationProvider.CreateFromFile(file) : null;

    private Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        name.Name is { } known && _directives.TryGetValue(known, out var path) ? context.LoadFromAssemblyPath(path) : null;

    private static IEnumerable<CellVariable> Fields(object submission) => submission.GetType().GetFields(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        .Where(field => char.IsLetterOrDigit(field.Name[0]) || field.Name[0] == '_')
        .Select(field => new CellVariable(field.Name, field.FieldType, field.GetValue(submission), field.IsInitOnly || field.IsLiteral));

    private static CodeDiagnostic[] Errors(IEnumerable<Diagnostic> diagnostics) =>
    [
        .. from diagnostic in diagnostics
           where diagnostic.Severity == DiagnosticSeverity.Error
           let place = diagnostic.Location.GetLineSpan()
           select new CodeDiagnostic(diagnostic.Id, diagnostic.GetMessage(), place.Path, place.StartLinePosition.Line + 1, place.StartLinePosition.Character),
    ];

    // Usings alone, or comments: there is nothing to run, and Roslyn gives such a piece no slot.
    private static bool HasCode(Compilation compilation) =>
        compilation.SyntaxTrees.Any(tree => tree.GetRoot() is CompilationUnitSyntax { Members.Count: > 0 });

    // Later pieces need not know one that only does something: most of the cells of a long session.
    private static bool Declares(Compilation compilation) =>
        compilation.ScriptClass!.GetMembers().Any(member => !member.IsImplicitlyDeclared)
        || compilation.DirectiveReferences.Any()
        || compilation.SyntaxTrees.Any(tree => tree.GetRoot() is CompilationUnitSyntax { Usings.Count: > 0 } or CompilationUnitSyntax { Externs.Count: > 0 });

    // A last statement without semicolon, of any type but void: null is a value too and is shown as one.
    private static bool EndsInValue(Compilation compilation)
    {
        var tree = compilation.SyntaxTrees.Last();
        if (tree.GetRoot() is not CompilationUnitSyntax { Members: [.., GlobalStatementSyntax { Statement: ExpressionStatementSyntax last }] }) return false;
        if (!last.SemicolonToken.IsMissing) return false;
        var type = compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression);
        return (type.Type ?? type.ConvertedType)?.SpecialType != SpecialType.System_Void;
    }
}
