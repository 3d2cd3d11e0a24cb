using TorchQuant.Benchmarks.Races;
using Xunit;

namespace TorchQuant.Benchmarks.Tests;

public class StatisticsTests
{
    [Fact]
    public void The_median_is_the_middle_value_or_the_mean_of_the_two_in_the_middle()
    {
        Assert.Equal(3, Statistics.Median([9, 1, 3]));
        Assert.Equal(2.5, Statistics.Median([4, 1, 3, 2]));
        Assert.Equal(7, Statistics.Median([7]));
    }

    [Fact]
    public void The_geometric_mean_of_a_ratio_and_its_inverse_is_one() => Assert.Equal(1, Statistics.GeometricMean([4, 0.25]), 12);

    [Fact]
    public void The_slope_of_a_power_is_its_exponent() =>
        Assert.Equal(1.5, Statistics.LogLogSlope([.. new[] { 1.0, 2, 5, 100 }.Select(x => (x, 3 * Math.Pow(x, 1.5)))]), 12);

    [Fact]
    public void No_values_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Statistics.Median([]));
        Assert.Throws<ArgumentException>(() => Statistics.GeometricMean([]));
        Assert.Throws<ArgumentException>(() => Statistics.LogLogSlope([(1, 1)]));
    }
}
