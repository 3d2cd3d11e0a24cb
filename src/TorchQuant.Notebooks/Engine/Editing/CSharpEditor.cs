using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.QuickInfo;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Tags;

namespace TorchQuant.Notebooks.Engine.Editing;

/// <summary>
/// Help while C# is typed, by the services that editors use. They want projects; so each piece of code that ran becomes a project that refers to the one before it, once,
/// and the text that is being typed a last one for the moment of the request.
/// </summary>
internal sealed class CSharpEditor : IDisposable
{
    private static readonly CSharpParseOptions s_parse = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    private readonly AdhocWorkspace _workspace = new(MefHostServices.DefaultHost);
    private readonly ConditionalWeakTable<Script, ProjectId> _projects = [];
    private Solution _solution;

    public CSharpEditor() => _solution = _workspace.CurrentSolution;

    /// <param name="script">The text at the end of what ran before.</param>
    /// <param name="position">The cursor, as an index into the text.</param>
    public async Task<Completions> CompleteAsync(Script script, int position)
    {
        var document = DocumentOf(script);
        if (CompletionService.GetService(document) is not { } service) return Completions.None(position);
        var list = await service.GetCompletionsAsync(document, position).ConfigureAwait(false);
        var typed = list.ItemsList.Count == 0 ? "" : script.Code[list.Span.Start..position];
        var items = Matching(service, document, list.ItemsList, typed)
            .Select(item => new Completion(item.Properties.GetValueOrDefault("InsertionText") ?? item.DisplayText, Kind(item.Tags)))
            .DistinctBy(item => item.Text);
        return new Completions(position - typed.Length, position, [.. items]);
    }

    /// <returns>Signature and documentation of what stands at the position, or null.</returns>
    public async Task<string?> InspectAsync(Script script, int position)
    {
        var document = DocumentOf(script);
        if (QuickInfoService.GetService(document) is not { } service) return null;
        // At the end of a name the cursor is behind it.
        var info = await service.GetQuickInfoAsync(document, position).ConfigureAwait(false)
            ?? (position > 0 ? await service.GetQuickInfoAsync(document, position - 1).ConfigureAwait(false) : null);
        var texts = info?.Sections.Select(section => section.Text.Trim()).Where(text => text.Length > 0).ToArray();
        return texts is { Length: > 0 } ? string.Join('\n', texts) : null;
    }

    public static Completeness Check(string code)
    {
        var tree = CSharpSyntaxTree.ParseText(code, s_parse);
        if (!SyntaxFactory.IsCompleteSubmission(tree)) return Completeness.Incomplete;
        return tree.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error) ? Completeness.Invalid : Completeness.Complete;
    }

    public void Dispose() => _workspace.Dispose();

    // A console completes what begins like the text; editors also find names by their capitals, which is offered where nothing else is.
    private static IEnumerable<CompletionItem> Matching(CompletionService service, Document document, IReadOnlyList<CompletionItem> items, string typed)
    {
        var starting = items.Where(item => item.FilterText.StartsWith(typed, StringComparison.OrdinalIgnoreCase)).ToArray();
        return starting.Length > 0 ? starting : service.FilterItems(document, [.. items], typed);
    }

    private Document DocumentOf(Script script)
    {
        var previous = Append(script.Previous);
        var (solution, project) = Add(_solution, script, previous);
        return solution.GetProject(project)!.Documents.Single();
    }

    private ProjectId? Append(Script? last)
    {
        // Not by recursion: a session may have thousands of pieces.
        var missing = new Stack<Script>();
        for (; last is not null && !_projects.TryGetValue(last, out _); last = last.Previous) missing.Push(last);
        var project = last is null ? null : _projects.GetValue(last, _ => throw new InvalidOperationException());
        while (missing.TryPop(out var script))
        {
            (_solution, project) = Add(_solution, script, project);
            _projects.Add(script, project);
        }
        return project;
    }

    private static (Solution Solution, ProjectId Project) Add(Solution solution, Script script, ProjectId? previous)
    {
        var compilation = script.GetCompilation();
        var id = ProjectId.CreateNewId();
        var text = TextLoader.From(TextAndVersion.Create(Microsoft.CodeAnalysis.Text.SourceText.From(script.Code), VersionStamp.Default));
        var name = compilation.AssemblyName!;
        var project = ProjectInfo.Create(id, VersionStamp.Default, name, name, LanguageNames.CSharp, isSubmission: true,
            compilationOptions: compilation.Options, parseOptions: s_parse, metadataReferences: compilation.References.Where(reference => reference is not CompilationReference),
            projectReferences: previous is null ? [] : [new ProjectReference(previous)],
            documents: [DocumentInfo.Create(DocumentId.CreateNewId(id), "cell.csx", sourceCodeKind: SourceCodeKind.Script, loader: text)]);
        return (solution.AddProject(project), id);
    }

    private static string Kind(ImmutableArray<string> tags)
    {
        foreach (var tag in tags)
        {
            switch (tag)
            {
                case WellKnownTags.Method or WellKnownTags.ExtensionMethod: return "function";
                case WellKnownTags.Class or WellKnownTags.Structure or WellKnownTags.Interface or WellKnownTags.Enum or WellKnownTags.Delegate: return "class";
                case WellKnownTags.Namespace: return "module";
                case WellKnownTags.Keyword: return "keyword";
                case WellKnownTags.Property or WellKnownTags.Field or WellKnownTags.Event or WellKnownTags.Constant or WellKnownTags.EnumMember: return "property";
                case WellKnownTags.Local or WellKnownTags.Parameter or WellKnownTags.RangeVariable: return "instance";
            }
        }
        return "text";
    }
}
