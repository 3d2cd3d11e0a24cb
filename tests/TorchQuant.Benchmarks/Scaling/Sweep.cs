using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Scaling;

/// <summary>Shapes that differ in one number.</summary>
/// <param name="Name">What is computed, for example linear, K = N = 1024.</param>
/// <param name="Variable">The number that differs.</param>
/// <param name="Points">Its values, with the shapes.</param>
internal sealed record Sweep(string Name, string Variable, IReadOnlyList<(double Value, Match Match)> Points);
