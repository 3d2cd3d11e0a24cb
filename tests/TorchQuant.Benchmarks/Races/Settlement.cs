namespace TorchQuant.Benchmarks.Races;

/// <summary>
/// Whether a match has enough samples. Whoever shares a core's other half slows it by up to a third for a while without taking it away, which no clock shows; a median of few samples then is that of the
/// disturbance. So a match goes on while a time that decides it is far from the best sample of the same contender.
/// </summary>
internal static class Settlement
{
    /// <summary>The part by which a median may lie above the best sample.</summary>
    private const double Spread = 0.05;

    /// <summary>Whether the times that the ratio may be made of lie near their best samples: ours, and those of int8 peers that have run as fast as the fastest one at least once.</summary>
    public static bool IsSettled(IReadOnlyCollection<(Side Side, double Best, double Median)> times)
    {
        double fastestPeer = times.Where(static t => t.Side == Side.Int8Peer).Select(static t => t.Median).DefaultIfEmpty(double.PositiveInfinity).Min();
        return times.All(t => t.Median <= (1 + Spread) * t.Best || t.Side == Side.FloatPeer || (t.Side == Side.Int8Peer && t.Best > fastestPeer));
    }
}
