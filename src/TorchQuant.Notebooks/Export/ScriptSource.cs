using System.Globalization;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Packages;

namespace TorchQuant.Notebooks.Export;

/// <summary>A piece of a notebook as a script has it.</summary>
/// <param name="Cell">The code cell that it is of, counted from 1; 0 for text.</param>
/// <param name="Code">The code without what the host does for a cell; of text, its lines.</param>
/// <param name="HasValue">Whether the cell ended in a value when it ran; null when it was not run.</param>
internal sealed record ScriptPart(int Cell, string Code, bool? HasValue)
{
    public bool IsText => Cell == 0;
}

/// <summary>What of a notebook goes into a script: one language, its packages, code and text in their order.</summary>
internal sealed record ScriptSource(string Name, CellLanguage Language, IReadOnlyList<PackageRequest> Packages, IReadOnlyList<string> Sources, IReadOnlyList<ScriptPart> Parts)
{
    /// <summary>By this the programs here know a script of their own.</summary>
    public const string Mark = "exported by TorchQuant.Notebooks";

    // They change nothing that a later cell needs.
    private static readonly string[] s_needless = ["time", "who", "whos", "lsmagic"];

    /// <exception cref="ExportException">A cell holds what a script cannot.</exception>
    public static ScriptSource Read(NotebookDocument document, string path)
    {
        var language = NotebookLanguage.Of(document, path);
        var reader = new Reader(language);
        foreach (var cell in document.Cells)
        {
            if (cell.IsMarkdown) reader.AddText(cell.Source);
            else if (cell.IsCode && !string.IsNullOrWhiteSpace(cell.Source)) reader.AddCode(cell);
        }
        return new ScriptSource(Path.GetFileName(path), language, reader.Packages, reader.Sources, reader.Parts);
    }

    /// <summary>The first lines of every script.</summary>
    public IEnumerable<string> Head(string command) =>
        [$"// {Name}, {Mark}. Start it in the notebook's folder with `{command}`.", ""];

    /// <summary>A text as comments.</summary>
    public static IEnumerable<string> Comments(string text) => text.Split('\n').Select(line => ("// " + line.TrimEnd()).TrimEnd());

    private sealed class Reader(CellLanguage language)
    {
        private int _cell;

        public List<PackageRequest> Packages { get; } = [];
        public List<string> Sources { get; } = [];
        public List<ScriptPart> Parts { get; } = [];

        public void AddText(string text)
        {
            if (text.Trim() is { Length: > 0 } trimmed) Parts.Add(new ScriptPart(0, trimmed.ReplaceLineEndings("\n"), null));
        }

        public void AddCode(NotebookCell cell)
        {
            _cell++;
            var own = cell.Language is { } name ? CellSegment.LanguageOf(name, line: null) : language;
            bool? hasValue = cell.ExecutionCount is null ? null : cell.Outputs.Any(output => (string?)output?["output_type"] == "execute_result");
            try
            {
                var segments = CellSegment.Split(cell.Source, own);
                for (var i = 0; i < segments.Count; i++) Add(segments[i], i == segments.Count - 1 ? hasValue : null);
            }
            catch (CellException e)
            {
                throw new ExportException($"Cell {Place(e.Line)}: {e.Message}");
            }
        }

        private void Add(CellSegment segment, bool? hasValue)
        {
            if (segment.Command is { } command)
            {
                if (!s_needless.Contains(command.Name)) throw new CellException($"#!{command.Name} has no counterpart in a script. Write what it does as code, or leave the cell out.", command.Line);
                Parts.Add(new ScriptPart(0, $"(cell {_cell}: #!{command.Name} is for notebooks)", null));
                return;
            }
            if (segment.Language is CellLanguage.Markdown or CellLanguage.Html)
            {
                AddText(segment.Code);
                return;
            }
            if (segment.Language != language)
                throw new CellException($"It is in {segment.Language}, and the notebook in {language}. A script has one language: take such cells out of a copy of the notebook, and export that.", segment.Lines + 1);
            var directives = CellDirectives.Parse(segment.Code, language);
            if (language == CellLanguage.CSharp && directives.Assemblies is [var assembly, ..])
                throw new CellException($"#r \"{assembly.Path}\": a program of one file cannot reference a file. Reference its package, or put the code into a project.", assembly.Line);
            foreach (var package in directives.Packages) Add(package);
            Sources.AddRange(directives.Sources.Except(Sources));
            // fsi understands the directives itself.
            var code = language == CellLanguage.FSharp ? segment.Code : directives.Code;
            Parts.Add(new ScriptPart(_cell, code.Trim('\n').TrimEnd(), hasValue));
        }

        private void Add(PackageRequest package)
        {
            var known = Packages.FindIndex(p => p.Id.Equals(package.Id, StringComparison.OrdinalIgnoreCase));
            if (known < 0) Packages.Add(package);
            else if (Packages[known].Version is null) Packages[known] = package;
        }

        private string Place(int? line) => _cell.ToString(CultureInfo.InvariantCulture) + (line is { } known ? $", line {known}" : "");
    }
}
