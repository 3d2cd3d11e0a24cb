namespace TorchQuant.Benchmarks.Races;

/// <summary>A shape that the implementations compute in turns.</summary>
/// <param name="Group">The group in tables and on the command line, for example conv.</param>
/// <param name="Shape">The shape's name.</param>
/// <param name="MultiplyAdds">The multiply-adds of one run; 0 where there are none to speak of.</param>
/// <param name="Bytes">What int8 has to read and write at least: weights, inputs, outputs.</param>
/// <param name="Footprint">The memory that this touches; less than <paramref name="Bytes"/> where weights are needed several times.</param>
/// <param name="Enter">Prepares the contenders for a number of threads. One that cannot be had is left out, with a line that says why.</param>
internal sealed record Match(string Group, string Shape, double MultiplyAdds, double Bytes, double Footprint, Func<int, IEnumerable<Func<IContender>>> Enter)
{
    /// <summary>A match whose data are needed once.</summary>
    public Match(string group, string shape, double multiplyAdds, double bytes, Func<int, IEnumerable<Func<IContender>>> enter)
        : this(group, shape, multiplyAdds, bytes, bytes, enter)
    {
    }
}
