using System.Collections.Concurrent;

namespace TorchQuant.Notebooks.Engine;

/// <summary>The code of every cell that ran, by the file name under which the compiler knows it.</summary>
internal sealed class CellSources
{
    private readonly ConcurrentDictionary<string, string[]> _lines = new();

    public static string FileOf(int cell) => $"cell {cell}";

    public void Add(string file, string code) => _lines[file] = code.ReplaceLineEndings("\n").Split('\n');

    /// <summary>The text of a line, counted from 1; null when there is no such line.</summary>
    public string? Line(string file, int line) =>
        _lines.TryGetValue(file, out var lines) && line >= 1 && line <= lines.Length ? lines[line - 1] : null;
}
