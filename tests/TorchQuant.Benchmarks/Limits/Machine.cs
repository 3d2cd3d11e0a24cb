using System.Globalization;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>What this machine can do at most, measured in the same run: int8 operations a second, and bytes read a second for data of several sizes.</summary>
/// <param name="OperationsPerSecond">For each number of threads: int8 operations, two for each multiply-add.</param>
/// <param name="BytesPerSecond">For each number of threads: (bytes of data, bytes read a second), by size.</param>
internal sealed record Machine(IReadOnlyDictionary<int, double> OperationsPerSecond, IReadOnlyDictionary<int, IReadOnlyList<(double Bytes, double PerSecond)>> BytesPerSecond)
{
    // Short pieces, many of them: others interrupt long ones.
    private const double Seconds = 0.0004;

    /// <summary>Measures for the given numbers of threads.</summary>
    public static Machine Measure(IReadOnlyList<int> threads, bool quick)
    {
        int rounds = quick ? 20 : 400;
        return new Machine(
            threads.ToDictionary(t => t, t => PeakOperations.PerSecond(t, Seconds, rounds)),
            threads.ToDictionary(t => t, t => ReadBandwidth.PerSecond(t, Seconds, rounds)));
    }

    /// <summary>
    /// Int8 operations a second at this moment, in a piece as long as a sample of a contender: the clock of a machine that is shared or warm changes by some percent from one to the next, and what is held
    /// against the peak has to be measured as the peak is. The better of two, since others interrupt.
    /// </summary>
    public static double PeakNow(int threads, double seconds) => PeakOperations.PerSecond(threads, seconds, pieces: 2);

    /// <summary>The same machine with another peak for that number of threads.</summary>
    public Machine WithPeak(int threads, double operationsPerSecond) =>
        this with { OperationsPerSecond = new Dictionary<int, double>(OperationsPerSecond) { [threads] = operationsPerSecond } };

    /// <summary>
    /// The roofline: max(operations / peak, bytes / bandwidth), with the bandwidth for data of the footprint's size, which a loop over the same data finds in its caches.
    /// </summary>
    public double LimitSeconds(double multiplyAdds, double bytes, double footprint, int threads) =>
        Math.Max(2 * multiplyAdds / OperationsPerSecond[threads], bytes / Bandwidth(footprint, threads));

    /// <summary>Bytes a second for data of that size: between the measured sizes on a line over the logarithm.</summary>
    public double Bandwidth(double bytes, int threads)
    {
        IReadOnlyList<(double Bytes, double PerSecond)> points = BytesPerSecond[threads];
        if (bytes <= points[0].Bytes)
            return points[0].PerSecond;
        for (int i = 1; i < points.Count; i++)
        {
            if (bytes > points[i].Bytes)
                continue;
            double part = Math.Log(bytes / points[i - 1].Bytes) / Math.Log(points[i].Bytes / points[i - 1].Bytes);
            return points[i - 1].PerSecond + part * (points[i].PerSecond - points[i - 1].PerSecond);
        }

        return points[^1].PerSecond;
    }

    /// <summary>One line for each number of threads.</summary>
    public IEnumerable<string> Describe() => OperationsPerSecond.Keys.Select(t => string.Create(
        CultureInfo.InvariantCulture, $"{t} thread(s): peak {OperationsPerSecond[t] / 1e9:0} GOPS ({PeakOperations.Instruction}); reads {string.Join(", ", BytesPerSecond[t].Select(Describe))} GB/s"));

    private static string Describe((double Bytes, double PerSecond) point) => string.Create(CultureInfo.InvariantCulture, $"{Size(point.Bytes)} {point.PerSecond / 1e9:0}");

    /// <summary>A size in words.</summary>
    public static string Size(double bytes) => bytes >= 1 << 20 ? $"{bytes / (1 << 20):0} MB" : $"{bytes / 1024:0} KB";
}
