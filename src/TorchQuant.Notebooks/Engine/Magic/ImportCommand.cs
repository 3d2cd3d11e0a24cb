using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Engine.Magic;

/// <summary><c>#!import file</c>: runs what is in the file as if it stood here. Paths are relative to the notebook's folder.</summary>
internal static class ImportCommand
{
    public const string Usage = "#!import file.ipynb|.dib|.cs|.csx|.fs|.fsx";

    public static Action? Act(MagicContext context)
    {
        var command = context.Command;
        command.Check(Usage, values: 1);
        var path = Path.GetFullPath(command.Values[0], context.Cells.Folder);
        if (!File.Exists(path)) throw new CellException($"There is no file {path}.", command.Line);
        foreach (var (file, code, language) in Read(path, command))
            if (context.Cells.Import(path, file, code, language, command.Line, context.Run) is { } error)
                throw new CellException($"{command.Values[0]} failed.\n{string.Join('\n', error.Lines)}", command.Line);
        return null;
    }

    private static IEnumerable<(string File, string Code, CellLanguage Language)> Read(string path, MagicCommand command)
    {
        var name = Path.GetFileName(path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".cs" or ".csx" => [(name, File.ReadAllText(path), CellLanguage.CSharp)],
            ".fs" or ".fsx" => [(name, File.ReadAllText(path), CellLanguage.FSharp)],
            ".dib" => [(name, DibText.WithoutMetadata(File.ReadAllText(path)), CellLanguage.CSharp)],
            ".ipynb" => Cells(path, name),
            var other => throw new CellException($"Files of the kind '{other}' cannot be imported. Write {Usage}.", command.Line),
        };
    }

    private static IEnumerable<(string File, string Code, CellLanguage Language)> Cells(string path, string name)
    {
        var document = NotebookDocument.Load(path);
        var first = document.Language is { } language ? CellSegment.LanguageOf(language, line: null) : CellLanguage.CSharp;
        return document.Cells.Where(cell => cell.IsCode && !string.IsNullOrWhiteSpace(cell.Source)).Select((cell, i) =>
            ($"{name} cell {i + 1}", cell.Source, cell.Language is { } own ? CellSegment.LanguageOf(own, line: null) : first));
    }
}
