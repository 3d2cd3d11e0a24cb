using TorchQuant.Benchmarks.Limits;
using TorchQuant.Interactive;

namespace TorchQuant.Benchmarks.Report;

/// <summary>Operations a second against operations for each byte that has to be moved (Williams, Waterman, Patterson, "Roofline", 2009).</summary>
internal static class RooflineChart
{
    private const double CacheBytes = 1 << 20;

    /// <summary>The chart for a number of threads; null where no shape has multiply-adds.</summary>
    public static XyChart? Of(IReadOnlyList<ShapeResult> results, Machine machine, int threads)
    {
        ShapeResult[] shapes = [.. results.Where(r => r.Ours.Threads == threads && r.Ours.MultiplyAdds > 0)];
        if (shapes.Length == 0)
            return null;
        double peak = machine.OperationsPerSecond[threads] / 1e9, bandwidth = machine.Bandwidth(CacheBytes, threads) / 1e9;
        double first = shapes.Min(Intensity), last = Math.Max(shapes.Max(Intensity), 2 * peak / bandwidth);
        double[] x = [first, peak / bandwidth, last];
        return new XyChart(
            $"Roofline, {threads} thread{(threads == 1 ? "" : "s")}",
            [
                new LineSeries("limit (peak; data in the L2 cache)", x, x.Select(i => Math.Min(peak, i * bandwidth)).ToArray()),
                Points("best float peer", shapes, r => r.BestFloat?.Gops),
                Points("best int8 peer", shapes, r => r.BestInt8?.Gops),
                Points("ours", shapes, r => r.Ours.Gops),
            ])
        {
            X = new Axis("operations for each byte that int8 has to move").Logarithmic(),
            Y = new Axis("speed", "GOPS").Logarithmic(),
            PlotHeight = 420,
        };
    }

    private static double Intensity(ShapeResult r) => 2 * r.Ours.MultiplyAdds / r.Ours.Bytes;

    private static PointSeries Points(string name, ShapeResult[] shapes, Func<ShapeResult, double?> gops)
    {
        (double X, double Y)[] points = [.. shapes.Where(r => gops(r) is not null).Select(r => (Intensity(r), gops(r)!.Value))];
        return new PointSeries(name, points.Select(p => p.X).ToArray(), points.Select(p => p.Y).ToArray());
    }
}
