using TorchQuant.Benchmarks.Limits;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Benchmarks.Report;
using Xunit;

namespace TorchQuant.Benchmarks.Tests;

public class ReportTests
{
    private static readonly Machine s_machine = new(
        new Dictionary<int, double> { [1] = 1e12 },
        new Dictionary<int, IReadOnlyList<(double Bytes, double PerSecond)>> { [1] = [(1e3, 400e9), (1e5, 200e9), (1e9, 20e9)] });

    [Fact]
    public void A_line_has_the_columns_of_the_header()
    {
        Assert.Equal("group,shape,threads,implementation,median_us,gops,fraction_of_limit", CsvFile.Header);
        Assert.Equal("conv,N1 3x3,1,ours,2,1000,0.9", CsvFile.Line(Row("ours", Side.Ours, 2e-6)));
    }

    [Fact]
    public void The_limit_is_the_larger_of_operations_and_bytes()
    {
        Assert.Equal(2e-3, s_machine.LimitSeconds(1e9, 1e3, 1e3, 1), 9);
        Assert.Equal(1e-3, s_machine.WithPeak(1, 2e12).LimitSeconds(1e9, 1e3, 1e3, 1), 9);
        Assert.Equal(1e9 / 20e9, s_machine.LimitSeconds(1, 1e9, 1e9, 1), 9);
    }

    [Fact]
    public void Bandwidth_lies_on_a_line_over_the_logarithm_of_the_size()
    {
        Assert.Equal(400e9, s_machine.Bandwidth(1, 1));
        Assert.Equal(300e9, s_machine.Bandwidth(1e4, 1), 1e3);
        Assert.Equal(20e9, s_machine.Bandwidth(1e12, 1));
    }

    [Fact]
    public void The_ratio_is_that_of_the_fastest_int8_peer()
    {
        ShapeResult result = ShapeResult.Of([Row("ours", Side.Ours, 2e-6), Row("slow", Side.Int8Peer, 9e-6), Row("fast", Side.Int8Peer, 3e-6), Row("float", Side.FloatPeer, 1e-6)]).Single();
        Assert.Equal(1.5, result.Ratio!.Value, 12);
        Assert.Equal(0.5, result.FloatRatio!.Value, 12);
        Assert.Equal("fast", result.BestInt8!.Implementation);
    }

    [Fact]
    public void A_shape_below_its_target_is_named()
    {
        IReadOnlyList<ShapeResult> results = ShapeResult.Of([Row("ours", Side.Ours, 2e-6), Row("fast", Side.Int8Peer, 1e-6)]);
        Target target = Target.All.Single(t => t.Name == "convolutions");
        Assert.Contains(target.Misses(results), miss => miss.Contains("conv N1 3x3, 1 thread(s): 0.50 of fast", StringComparison.Ordinal));
        Assert.Empty(target.Misses(ShapeResult.Of([Row("ours", Side.Ours, 2e-6), Row("fast", Side.Int8Peer, 4e-6)])));
    }

    private static RaceRow Row(string name, Side side, double seconds) => new("conv", "N1 3x3", 1, name, side, seconds, 1e6, 1.8e-6, 1e3, new Agreement("equal"));
}
