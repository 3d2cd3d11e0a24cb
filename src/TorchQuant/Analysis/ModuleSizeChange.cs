namespace TorchQuant;

/// <summary>One module before and after.</summary>
/// <param name="Path">Dotted path; empty for the model itself.</param>
/// <param name="Before">The module before, or null where only the second model has one.</param>
/// <param name="After">The module after, or null where only the first model has one.</param>
public sealed record ModuleSizeChange(string Path, ModuleSize? Before, ModuleSize? After)
{
    /// <summary>Bytes after / bytes before: 0.25 is a quarter. Not a number where there is nothing before.</summary>
    public double Ratio => Before is { Bytes: > 0 } before ? (After?.Bytes ?? 0) / (double)before.Bytes : double.NaN;
}
