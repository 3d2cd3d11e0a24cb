using TorchQuant.Interactive;

namespace TorchQuant.Benchmarks.Report;

/// <summary>For each group bars with the ratio of every shape: time of the best int8 peer / time of ours.</summary>
internal static class RatioCharts
{
    /// <summary>Shapes in one chart: more would make it longer than a screen.</summary>
    private const int MostShapes = 30;

    public static IEnumerable<BarChart> Of(IReadOnlyList<ShapeResult> results)
    {
        foreach (IGrouping<string, ShapeResult> group in results.Where(r => r.Ratio is not null).GroupBy(r => r.Ours.Group))
        {
            int[] threads = [.. group.Select(r => r.Ours.Threads).Distinct()];
            foreach (string[] shapes in group.Select(r => r.Ours.Shape).Distinct().Chunk(MostShapes))
            {
                yield return new BarChart(
                    $"Ratio by shape: {group.Key}",
                    shapes,
                    [
                        .. threads.Select(t => new BarSeries(
                            $"{t} thread{(t == 1 ? "" : "s")}", shapes.Select(shape => group.FirstOrDefault(r => r.Ours.Shape == shape && r.Ours.Threads == t)?.Ratio ?? double.NaN).ToArray())),
                    ])
                {
                    Horizontal = true,
                    Value = new Axis("time of the best int8 peer / time of ours").Logarithmic(),
                    References = [new ReferenceLine("as fast as the best peer", 1)],
                    Width = 860,
                };
            }
        }
    }
}
