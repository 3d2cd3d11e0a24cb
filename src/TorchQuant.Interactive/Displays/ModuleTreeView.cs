using System.Text.RegularExpressions;
using TorchQuant.Interactive.Rendering;
using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>A model as a table whose first column is its tree; sizes of a module include those below it. Where modules are quantized, the last columns say with which scales.</summary>
internal static partial class ModuleTreeView
{
    private static readonly (string Name, Func<ModuleQParams, string?> Of)[] QuantizedColumns =
        [("output scale", qparams => qparams.Scale), ("zero point", qparams => qparams.ZeroPoint), ("weight scales", qparams => qparams.WeightScales)];

    public static Table Of(nn.Module model, string title)
    {
        var size = ModelSize.Of(model);
        var modules = ModuleTree.Walk(model);
        var unit = SizeUnit.For(size.TotalBytes);
        var paths = modules.Select(entry => entry.Path).ToList();
        return WithQParams(title, ["module", "type", "tensors", "parameters", unit.Column], [.. modules.Select(entry => entry.Module)],
        [
            .. modules.Select((entry, i) => (object?[])
                [Branch(paths, i), Display.TypeCell(TypeName(entry.Module)), Details(entry.Module), Below(size, entry.Path).Parameters, unit.Of(Below(size, entry.Path).Bytes)]),
        ]);
    }

    public static Table Compare(nn.Module before, nn.Module after, string title)
    {
        ModelSize first = ModelSize.Of(before), second = ModelSize.Of(after);
        Dictionary<string, nn.Module> old = ByPath(before), now = ByPath(after);
        var paths = ModuleTree.Walk(before).Concat(ModuleTree.Walk(after)).Select(entry => entry.Path).Distinct(StringComparer.Ordinal).ToList();
        var unit = SizeUnit.For(first.TotalBytes);
        return WithQParams(title, ["module", "before", unit.Column, "after", unit.Column, new Column("after / before", "", "P1")], [.. paths.Select(now.GetValueOrDefault)],
        [
            .. paths.Select((path, i) =>
            {
                var (a, b) = (old.GetValueOrDefault(path), now.GetValueOrDefault(path));
                long beforeBytes = Below(first, path).Bytes, afterBytes = Below(second, path).Bytes;
                return (object?[])
                [
                    Branch(paths, i), Display.TypeCell(a is null ? null : TypeName(a)), a is null ? null : unit.Of(beforeBytes),
                    Display.TypeCell(AfterName(a, b)), b is null ? null : unit.Of(afterBytes),
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

    // A quantized module says itself what it is; fusing leaves an Identity in the place of what it folded into the layer before.
    private static string? AfterName(nn.Module? before, nn.Module? after) => after switch
    {
        null => null,
        IQuantizedModule => WithoutQParams(after.ToString() ?? ""),
        Identity when before is not null and not Identity => "folded into the layer before",
        _ => TypeName(after),
    };

    // Columns of their own have them.
    private static string WithoutQParams(string text) => PrintedQParams().Replace(text, "").Replace("(, ", "(", StringComparison.Ordinal);

    [GeneratedRegex(@"(, )?(scale|zero_point)=[^,()]+")]
    private static partial Regex PrintedQParams();

    private static Table WithQParams(string title, IReadOnlyList<Column> columns, IReadOnlyList<nn.Module?> modules, IReadOnlyList<object?[]> rows)
    {
        var qparams = modules.Select(module => (module as IQuantizedModule) is { } quantized ? ModuleQParams.Of(quantized) : null).ToList();
        // Dynamic models have no output scales, an embedding no zero point: what no module has needs no column.
        var more = QuantizedColumns.Where(column => qparams.Any(found => found is not null && column.Of(found) is not null)).ToList();
        return new Table(title, [.. columns, .. more.Select(column => (Column)column.Name)], [.. rows.Zip(qparams, (row, found) => (object?[])[.. row, .. more.Select(column => found is null ? null : column.Of(found))])]);
    }

    // A quantized module says itself what it holds; of others the tensors' shapes tell most.
    private static string Details(nn.Module module)
    {
        if (module is IQuantizedModule)
        {
            var text = WithoutQParams(module.ToString() ?? "");
            var open = text.IndexOf('(', StringComparison.Ordinal);
            return open < 0 ? text : text[(open + 1)..text.LastIndexOf(')')];
        }
        const int most = 3;
        var tensors = module.named_parameters(recurse: false).Select(entry => $"{entry.name} {string.Join('×', entry.parameter.shape)}").ToList();
        return string.Join(", ", tensors.Take(most)) + (tensors.Count > most ? $", and {NumberText.Fixed(tensors.Count - most, 0)} more" : "");
    }
}
