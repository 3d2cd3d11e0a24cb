namespace TorchQuant;

/// <summary>What <c>prepare</c> decided for a module.</summary>
/// <param name="Path">The module's dotted path.</param>
/// <param name="QConfig">The qconfig that was decided.</param>
internal sealed record CalibrationRecord(string Path, QConfig QConfig);
