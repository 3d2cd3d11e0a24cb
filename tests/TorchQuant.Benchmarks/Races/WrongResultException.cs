namespace TorchQuant.Benchmarks.Races;

/// <summary>A contender computed something else than the reference: its time means nothing.</summary>
internal sealed class WrongResultException(string message) : Exception(message);
