using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Report;

/// <summary>One shape with one number of threads: ours beside the best of the peers.</summary>
internal sealed record ShapeResult(RaceRow Ours, RaceRow? BestInt8, RaceRow? BestFloat)
{
    /// <summary>How many times as long the best int8 peer takes; null without one.</summary>
    public double? Ratio => BestInt8?.MedianSeconds / Ours.MedianSeconds;

    /// <summary>How many times as long the best float peer takes; null without one.</summary>
    public double? FloatRatio => BestFloat?.MedianSeconds / Ours.MedianSeconds;

    /// <summary>The results of the shapes that ours took part in, in the order of the rows.</summary>
    public static IReadOnlyList<ShapeResult> Of(IEnumerable<RaceRow> rows) =>
    [
        .. from row in rows
           group row by (row.Group, row.Shape, row.Threads) into shape
           let ours = Best(shape, Side.Ours)
           where ours is not null
           select new ShapeResult(ours, Best(shape, Side.Int8Peer), Best(shape, Side.FloatPeer)),
    ];

    private static RaceRow? Best(IEnumerable<RaceRow> rows, Side side) => rows.Where(row => row.Side == side).MinBy(row => row.MedianSeconds);
}
