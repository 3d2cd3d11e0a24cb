using TorchQuant.Interactive.Rendering;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>A model as a table whose first column is its tree; sizes of a module include those below it.</summary>
internal static class ModuleTreeView
{
    public static Table Of(nn.Module model, string title)
    {
        var size = ModelSize.Of(model);
        var modules = ModuleTree.Walk(model);
        var unit = SizeUnit.For(size.TotalBytes);
        return new Table(title, ["module", "type", "tensors", "parameters", unit.Column],
        [
            .. modules.Select((entry, i) => (object?[])
                [Branch(modules.Select(m => m.Path).ToList(), i), Display.TypeCell(TypeName(entry.Module)), Details(entry.Module), Below(size, entry.Path).Parameters, unit.Of(Below(size, entry.Path).Bytes)]),
        ]);
    }

    public static Table Compare(nn.Module before, nn.Module after, string title)
    {
        ModelSize first = ModelSize.Of(before), second = ModelSize.Of(after);
        Dictionary<string, nn.Module> old = ByPath(before), now = ByPath(after);
        var paths = ModuleTree.Walk(before).Concat(ModuleTree.Walk(after)).Select(entry => entry.Path).Distinct(StringComparer.Ordinal).ToList();
        var unit = SizeUnit.For(first.TotalBytes);
        return new Table(title, ["module", "before", unit.Column, "after", unit.Column, new Column("after / before", "", "P1")],
        [
            .. paths.Select((path, i) =>
            {
                var (a, b) = (old.GetValueOrDefault(path), now.GetValueOrDefault(path));
                long beforeBytes = Below(first, path).Bytes, afterBytes = Below(second, path).Bytes;
                return (object?[])
                [
                    Branch(paths, i), Display.TypeCell(a is null ? null : TypeName(a)), a is null ? null : unit.Of(beforeBytes),
                    Display.TypeCell(b is null ? null : b is IQuantizedModule ? b.ToString() : TypeName(b)), b is null ? null : unit.Of(afterBytes),
                    a is null || b is null || beforeBytes == 0 ? null : (double)afterBytes / beforeBytes,
                ];
            }),
        ]);
    }

    /// <summary>The last part of a path with the lines of the tree before it: the paths are in the order of a walk, so a module's children follow it.</summary>
    internal static Cell Branch(IReadOnlyList<string> paths, int row)
    {
        var path = paths[row];
        if (path.Length == 0) return new Cell("(model)", Code: true);
        var parts = path.Split('.');
        var lines = "";
        for (var depth = 1; depth <= parts.Length; depth++)
        {
            var parent = string.Join('.', parts.Take(depth - 1));
            var here = string.Join('.', parts.Take(depth));
            // Is there a later child of the same parent? Then its line goes on below this row.
            var goesOn = paths.Skip(row + 1).Any(later => IsBelow(later, parent) && !IsBelow(later, here) && later != here && later != parent);
            lines += depth == parts.Length ? goesOn ? "├─ " : "└─ " : goesOn ? "│  " : "   ";
        }
        return new Cell(lines + parts[^1], Code: true);
    }

    private static bool IsBelow(string path, string parent) => parent.Length == 0 ? path.Length > 0 : path.StartsWith(parent + ".", StringComparison.Ordinal);

    private static Dictionary<string, nn.Module> ByPath(nn.Module model) => ModuleTree.Walk(model).ToDictionary(entry => entry.Path, entry => entry.Module, StringComparer.Ordinal);

    private static (long Parameters, long Bytes) Below(ModelSize size, string path)
    {
        var rows = size.Rows.Where(row => row.Path == path || IsBelow(row.Path, path)).ToList();
        return (rows.Sum(row => row.Parameters), rows.Sum(row => row.Bytes));
    }

    private static string TypeName(nn.Module module) => module.GetType().Name.Split('`')[0];

    // A quantized module says itself what it holds; of others the tensors' shapes tell most.
    private static string Details(nn.Module module)
    {
        if (module is IQuantizedModule)
        {
            var text = module.ToString() ?? "";
            var open = text.IndexOf('(', StringComparison.Ordinal);
            return open < 0 ? text : text[(open + 1)..text.LastIndexOf(')')];
        }
        const int most = 3;
        var tensors = module.named_parameters(recurse: false).Select(entry => $"{entry.name} {string.Join('×', entry.parameter.shape)}").ToList();
        return string.Join(", ", tensors.Take(most)) + (tensors.Count > most ? $", and {NumberText.Fixed(tensors.Count - most, 0)} more" : "");
    }
}
