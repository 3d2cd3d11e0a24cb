namespace TorchQuant.Benchmarks.Races;

/// <summary>One line of the results.</summary>
/// <param name="Group">The group of shapes.</param>
/// <param name="Shape">The shape.</param>
/// <param name="Threads">The number of threads.</param>
/// <param name="Implementation">The contender's name.</param>
/// <param name="Side">For whom it ran.</param>
/// <param name="MedianSeconds">The median over the rounds of the time of one run.</param>
/// <param name="MultiplyAdds">The multiply-adds of one run.</param>
/// <param name="LimitSeconds">What the machine needs at least for int8: see <see cref="Limits.Machine"/>.</param>
/// <param name="Bytes">What int8 has to read and write at least.</param>
/// <param name="Agreement">How its results compare with the reference.</param>
internal sealed record RaceRow(string Group, string Shape, int Threads, string Implementation, Side Side, double MedianSeconds, double MultiplyAdds, double LimitSeconds, double Bytes, Agreement Agreement)
{
    /// <summary>Billions of operations a second, two for each multiply-add.</summary>
    public double Gops => 2 * MultiplyAdds / MedianSeconds / 1e9;

    public double FractionOfLimit => LimitSeconds / MedianSeconds;
}
