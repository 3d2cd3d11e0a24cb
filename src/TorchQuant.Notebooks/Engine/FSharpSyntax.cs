using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Syntax;
using FSharp.Compiler.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Control;
using Microsoft.FSharp.Core;

namespace TorchQuant.Notebooks.Engine;

/// <summary>A piece of F# as the compiler's parser reads it; nothing is checked or compiled.</summary>
internal sealed class FSharpSyntax
{
    private static readonly Lazy<FSharpChecker> s_checker = new(() => FSharpChecker.Create(null, null, null, null, null, null, null, null, null, null, null, null, null, null));

    private readonly ParsedInput _tree;

    private FSharpSyntax(ParsedInput tree, IReadOnlyList<FSharpDiagnostic> diagnostics) => (_tree, Diagnostics) = (tree, diagnostics);

    /// <summary>What the parser found wrong, warnings too.</summary>
    public IReadOnlyList<FSharpDiagnostic> Diagnostics { get; }

    /// <summary>The declarations, expressions and directives from the top to the end.</summary>
    public IReadOnlyList<SynModuleDecl> Declarations => _tree is ParsedInput.ImplFile file ? [.. file.Item.contents.SelectMany(part => part.decls)] : [];

    public static FSharpSyntax Parse(string code)
    {
        const string File = "cell.fsx";
        var all = FSharpParsingOptions.Default;
        var options = new FSharpParsingOptions([File], applyLineDirectives: false, all.ConditionalDefines, all.DiagnosticOptions, "latest", isInteractive: true, compilingFSharpCore: false, isExe: false);
        var parsed = FSharpAsync.RunSynchronously(s_checker.Value.ParseFile(File, SourceText.ofString(code), options, FSharpOption<bool>.Some(false), null), null, null);
        return new FSharpSyntax(parsed.ParseTree, [.. parsed.Diagnostics]);
    }

    /// <summary>Every node, each with those around it, the nearest first.</summary>
    public IReadOnlyList<(SyntaxNode Node, FSharpList<SyntaxNode> Around)> Nodes()
    {
        var all = new List<(SyntaxNode, FSharpList<SyntaxNode>)>();
        var add = FuncConvert.FromFunc<Unit?, FSharpList<SyntaxNode>, SyntaxNode, Unit?>((_, around, node) =>
        {
            all.Add((node, around));
            return null;
        });
        ParsedInputModule.fold(add, null, _tree);
        return all;
    }
}
