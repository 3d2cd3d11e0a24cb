using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;

namespace TorchQuant.Notebooks.Engine;

/// <summary>What a piece of C# gave: errors of the compiler, or an exception, or (when it ends in an expression) a value.</summary>
internal readonly record struct ScriptOutcome(IReadOnlyList<Diagnostic> Errors, Exception? Exception, bool HasValue, object? Value);

/// <summary>
/// C# by Roslyn scripting: each piece of code sees the variables, types, methods and usings of those before it. A piece that does not
/// compile changes nothing; one that throws keeps what it did until then. Not thread-safe: <see cref="CellThread"/> calls it.
/// </summary>
internal sealed class CSharpScriptEngine
{
    // What .NET Interactive imports, no more: a notebook written here must run there.
    private static readonly string[] s_imports =
    [
        "System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq",
        "Microsoft.DotNet.Interactive", "Microsoft.DotNet.Interactive.Formatting", "Microsoft.DotNet.Interactive.Kernel",
    ];

    // One object per file for the life of the session: the compiler then knows a type of an earlier cell as the same type.
    private readonly Dictionary<string, MetadataReference> _packages = [];

    private ScriptOptions _options;
    private ScriptState<object>? _state;

    /// <param name="folder">The folder that <c>#load</c> is relative to.</param>
    public CSharpScriptEngine(string folder)
    {
        _options = ScriptOptions.Default
            .WithReferences(HostReferences.All)
            .WithImports(s_imports)
            .WithLanguageVersion(LanguageVersion.Latest)
            .WithAllowUnsafe(true)
            // Training loops run in cells: the compiler optimises. Line numbers of exceptions need the debug information all the same.
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(Encoding.UTF8)
            .WithMetadataResolver(ScriptMetadataResolver.Default.WithBaseDirectory(folder))
            .WithSourceResolver(ScriptSourceResolver.Default.WithBaseDirectory(folder));
    }

    /// <summary>The variables there are; where a name was declared again, the newest declaration only.</summary>
    public IEnumerable<ScriptVariable> Variables => _state is null ? [] : _state.Variables.Reverse().DistinctBy(variable => variable.Name);

    /// <summary>What later pieces of code can use besides the runtime: replaces what was set before.</summary>
    public void SetPackageReferences(IEnumerable<string> assemblies)
    {
        var references = new List<MetadataReference>(HostReferences.All);
        foreach (var path in assemblies)
        {
            if (!_packages.TryGetValue(path, out var reference)) _packages[path] = reference = MetadataReference.CreateFromFile(path);
            references.Add(reference);
        }
        _options = _options.WithReferences(references);
    }

    /// <summary>Compiles and runs a piece of code. Exceptions that the code throws are returned, not thrown.</summary>
    /// <param name="code">The code.</param>
    /// <param name="file">The file name that its lines carry in diagnostics and stack traces.</param>
    public async Task<ScriptOutcome> RunAsync(string code, string file)
    {
        var options = _options.WithFilePath(file);
        var script = _state is null ? CSharpScript.Create<object>(code, options) : _state.Script.ContinueWith<object>(code, options);
        var errors = script.Compile().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToArray();
        if (errors.Length > 0) return new ScriptOutcome(errors, null, false, null);

        var hasValue = EndsInValue(script.GetCompilation());
        _state = _state is null
            ? await script.RunAsync(globals: null, catchException: _ => true).ConfigureAwait(false)
            : await script.RunFromAsync(_state, catchException: _ => true).ConfigureAwait(false);
        return new ScriptOutcome([], _state.Exception, hasValue && _state.Exception is null, _state.ReturnValue);
    }

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
