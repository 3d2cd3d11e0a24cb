using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TorchQuant.Notebooks.Export;

/// <summary>
/// A notebook of C# as a program of one file for <c>dotnet run</c>: packages, usings, the cells as top-level statements, the types at the end.
/// What is a variable of a cell becomes a local variable, a method a local function.
/// </summary>
internal sealed class CSharpProgram
{
    // What a cell has without asking for it, and what the project of a file would add to that.
    private static readonly string[] s_usings = ["System", "System.Collections", "System.Collections.Generic", "System.Linq", "System.Text", "System.Threading.Tasks"];

    private readonly SortedSet<string> _usings = new(Comparer<string>.Create(CompareUsings));
    private readonly List<string> _types = [];
    private readonly List<string> _extensions = [];
    private readonly StringBuilder _body = new();
    private readonly HashSet<string> _names = [];

    private CSharpProgram(ScriptSource source)
    {
        var code = source.Parts.Where(part => !part.IsText).ToArray();
        var cells = new CellRenaming(code.Select(part => part.Code)).Cells();
        foreach (var name in s_usings) _usings.Add($"using {name};");
        foreach (var part in source.Parts)
        {
            if (part.IsText) AddLines(ScriptSource.Comments(part.Code));
            else AddCell(cells[Array.IndexOf(code, part)], part);
        }
    }

    /// <exception cref="ExportException">A cell holds what a program of one file cannot.</exception>
    public static string Write(ScriptSource source)
    {
        var program = new CSharpProgram(source);
        var support = DisplaySupport.CSharp(program._names);
        if (support.Length > 0) program._usings.Add("using static Notebook;");
        var text = new StringBuilder();
        foreach (var line in source.Head("dotnet run " + Path.ChangeExtension(source.Name, ".cs"))) text.Append(line).Append('\n');
        foreach (var package in source.Packages) text.Append($"#:package {package.Id}@{package.Version ?? "*"}\n");
        if (source.Sources.Count > 0) text.Append($"#:property RestoreAdditionalProjectSources={string.Join(';', source.Sources)}\n");
        // As cells are compiled: no usings but those here, types that may be null or not, and JSON and `dynamic` by reflection.
        text.Append("#:property ImplicitUsings=disable\n#:property Nullable=annotations\n#:property PublishAot=false\n");
        if (program._names.Contains("unsafe")) text.Append("#:property AllowUnsafeBlocks=true\n");
        text.Append('\n');
        foreach (var line in program._usings) text.Append(line).Append('\n');
        text.Append('\n').Append(program._body);
        if (program._extensions.Count > 0) text.Append("\nstatic class Extensions\n{\n").Append(string.Join("\n\n", program._extensions)).Append("\n}\n");
        foreach (var type in program._types) text.Append('\n').Append(type).Append('\n');
        if (support.Length > 0) text.Append('\n').Append(support);
        return text.ToString();
    }

    private void AddLines(IEnumerable<string> lines)
    {
        if (_body.Length > 0) _body.Append('\n');
        foreach (var line in lines) _body.Append(line).Append('\n');
    }

    private void AddCell(CompilationUnitSyntax cell, ScriptPart part)
    {
        if (cell.ContainsDirectives) Refuse(part, cell.DescendantTrivia().FirstOrDefault(trivia => trivia.IsKind(SyntaxKind.LoadDirectiveTrivia)), "Put the file's code into a cell.");
        foreach (var token in cell.DescendantTokens())
            if (token.Kind() is SyntaxKind.IdentifierToken or SyntaxKind.UnsafeKeyword)
                _names.Add(token.ValueText);
        if (cell.Externs.FirstOrDefault() is { } alias) Refuse(part, alias, "A program of one file has no extern aliases.");
        var text = cell.ToFullString();
        var edits = new List<(int Start, int End, string Text)>();
        foreach (var directive in cell.Usings)
        {
            _usings.Add(directive.ToString());
            edits.Add((directive.SpanStart, directive.FullSpan.End, ""));
        }
        foreach (var reference in cell.DescendantTrivia().Where(trivia => trivia.IsKind(SyntaxKind.ReferenceDirectiveTrivia))) edits.Add((reference.SpanStart, reference.FullSpan.End, "")); // of .NET itself
        foreach (var member in cell.Members) Edit(member, part, edits);
        if (cell.Members is [.., GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last }]) Show(last, part, edits);

        var body = new StringBuilder(text);
        foreach (var (start, end, replacement) in edits.OrderByDescending(edit => edit.Start)) body.Remove(start, end - start).Insert(start, replacement);
        var lines = body.ToString().Trim('\n', ' ').Split('\n');
        if (lines.Any(line => line.Trim().Length > 0)) AddLines(lines.Select(line => line.TrimEnd('\r')));
    }

    private void Edit(MemberDeclarationSyntax member, ScriptPart part, List<(int Start, int End, string Text)> edits)
    {
        switch (member)
        {
            case BaseTypeDeclarationSyntax or DelegateDeclarationSyntax:
                var visible = member.WithModifiers(SyntaxFactory.TokenList(member.Modifiers.Where(modifier => !modifier.IsKind(SyntaxKind.PrivateKeyword) && !modifier.IsKind(SyntaxKind.ProtectedKeyword))));
                _types.Add(visible.ToFullString().Trim('\n', '\r', ' '));
                edits.Add((member.FullSpan.Start, member.FullSpan.End, ""));
                break;
            case MethodDeclarationSyntax { ParameterList.Parameters: [var first, ..] } method when first.Modifiers.Any(SyntaxKind.ThisKeyword):
                _extensions.Add("    " + string.Join("\n    ", WithoutAccess(method).Insert(0, "internal ").Split('\n')));
                edits.Add((member.FullSpan.Start, member.FullSpan.End, ""));
                break;
            case MethodDeclarationSyntax method:
                edits.AddRange(AccessOf(method).Select(modifier => (modifier.SpanStart, modifier.FullSpan.End, "")));
                break;
            case FieldDeclarationSyntax field:
                edits.AddRange(field.Modifiers.Where(modifier => !modifier.IsKind(SyntaxKind.ConstKeyword)).Select(modifier => (modifier.SpanStart, modifier.FullSpan.End, "")));
                // A variable of a cell begins as null or 0; the compiler asks a local one to be set.
                edits.AddRange(field.Declaration.Variables.Where(variable => variable.Initializer is null).Select(variable => (variable.Span.End, variable.Span.End, " = default")));
                break;
            case GlobalStatementSyntax { Statement: ReturnStatementSyntax statement }:
                Refuse(part, statement, "It ends a cell and would end the program. Use if and else.");
                break;
            case GlobalStatementSyntax:
                break;
            default:
                Refuse(part, member, "A program has no such member outside types. Make it a function or a variable.");
                break;
        }
    }

    // A last expression without semicolon is shown. A call may have no value: whether it has is known of a cell that ran.
    private void Show(ExpressionStatementSyntax last, ScriptPart part, List<(int Start, int End, string Text)> edits)
    {
        var mayBeVoid = last.Expression is InvocationExpressionSyntax or AwaitExpressionSyntax;
        var shows = part.HasValue ?? !(mayBeVoid && last.Expression.ToString() is var call && (call.StartsWith("Console.", StringComparison.Ordinal) || call.StartsWith("display(", StringComparison.Ordinal)));
        if (shows)
        {
            _names.Add("display");
            edits.Add((last.Expression.SpanStart, last.Expression.SpanStart, "display("));
        }
        edits.Add((last.Expression.Span.End, last.Expression.Span.End, shows ? ");" : ";"));
    }

    private static IEnumerable<SyntaxToken> AccessOf(MethodDeclarationSyntax method) =>
        method.Modifiers.Where(modifier => modifier.Kind() is SyntaxKind.PublicKeyword or SyntaxKind.PrivateKeyword or SyntaxKind.InternalKeyword or SyntaxKind.ProtectedKeyword);

    private static string WithoutAccess(MethodDeclarationSyntax method) =>
        method.WithModifiers(SyntaxFactory.TokenList(method.Modifiers.Except(AccessOf(method)))).WithoutTrivia().ToFullString();

    private static void Refuse(ScriptPart part, SyntaxNodeOrToken node, string mend) => throw new ExportException($"Cell {part.Cell}: `{FirstLine(node.ToString())}` cannot stand in a program of one file. {mend}");

    private static void Refuse(ScriptPart part, SyntaxTrivia trivia, string mend)
    {
        if (trivia != default) throw new ExportException($"Cell {part.Cell}: `{FirstLine(trivia.ToString())}` cannot stand in a program of one file. {mend}");
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();

    // Namespaces first, System before the others; then the static ones and the aliases.
    private static int CompareUsings(string? a, string? b)
    {
        static (int, int, string) Key(string text) =>
            (text.Contains('=', StringComparison.Ordinal) ? 2 : text.StartsWith("using static", StringComparison.Ordinal) ? 1 : 0, text.StartsWith("using System", StringComparison.Ordinal) ? 0 : 1, text.TrimEnd(';'));
        var ((kindA, groupA, nameA), (kindB, groupB, nameB)) = (Key(a!), Key(b!));
        return kindA != kindB ? kindA - kindB : groupA != groupB ? groupA - groupB : string.CompareOrdinal(nameA, nameB);
    }
}
