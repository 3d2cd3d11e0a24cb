using TorchQuant.Analysis;

namespace TorchQuant;

/// <summary>The sizes of two models, module by module.</summary>
/// <param name="Before">The model before, usually float.</param>
/// <param name="After">The model after, usually quantized.</param>
public sealed record SizeComparison(ModelSize Before, ModelSize After)
{
    /// <summary>One row for each path that either model has, in the order of the first, then of the second.</summary>
    public IReadOnlyList<ModuleSizeChange> Rows { get; } = Join(Before, After);

    /// <summary>Bytes after / bytes before. Not a number where there is nothing before.</summary>
    public double Ratio => Before.TotalBytes > 0 ? After.TotalBytes / (double)Before.TotalBytes : double.NaN;

    /// <summary>A table as text.</summary>
    public override string ToString() => new TextTable("module", "before", "MB", "after", "MB", "ratio")
        .AlignRight(2, 4, 5)
        .Add(Rows.Select(r => (object[])[r.Path.Length == 0 ? "(model)" : r.Path, r.Before?.Type ?? "", Megabytes(r.Before), r.After?.Type ?? "", Megabytes(r.After), TextTable.Ratio(r.Ratio)]))
        .Add("total", "", TextTable.Megabytes(Before.TotalBytes), "", TextTable.Megabytes(After.TotalBytes), TextTable.Ratio(Ratio))
        .ToString();

    private static string Megabytes(ModuleSize? size) => size is null ? "" : TextTable.Megabytes(size.Bytes);

    private static List<ModuleSizeChange> Join(ModelSize before, ModelSize after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var first = before.Rows.ToDictionary(r => r.Path, StringComparer.Ordinal);
        var second = after.Rows.ToDictionary(r => r.Path, StringComparer.Ordinal);
        return [.. before.Rows.Concat(after.Rows).Select(r => r.Path).Distinct(StringComparer.Ordinal)
            .Select(path => new ModuleSizeChange(path, first.GetValueOrDefault(path), second.GetValueOrDefault(path)))];
    }
}
