namespace TorchQuant.Benchmarks.Races;

/// <summary>A shape that the implementations compute in turns.</summary>
/// <param name="Group">The group in tables and on the command line, for example conv.</param>
/// <param name="Shape">The shape's name.</param>
/// <param name="MultiplyAdds">The multiply-adds of one run; 0 where there are none to speak of.</param>
/// <param name="Bytes">What int8 has to read and write at least: weights, inputs, outputs once.</param>
/// <param name="Enter">Prepares the contenders for a number of threads. One that cannot be had is left out, with a line that says why.</param>
internal sealed record Match(string Group, string Shape, double MultiplyAdds, double Bytes, Func<int, IEnumerable<Func<IContender>>> Enter);
