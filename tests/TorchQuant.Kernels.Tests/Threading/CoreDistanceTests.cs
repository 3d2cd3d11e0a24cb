using System.Diagnostics;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class CoreDistanceTests
{
    /// <summary>More than a measurement has runs.</summary>
    private const int Many = 40;

    private const long Small = CoreDistance.LeastWork - 1;

    [Fact]
    public void Cores_are_near_until_it_is_shown_that_they_are_not() => Assert.True(default(CoreDistance).IsWorth(0));

    [Fact]
    public void Small_work_is_not_worth_sharing_between_far_cores_and_large_work_is()
    {
        CoreDistance distance = Measured(Many, microseconds: 0.5, Stopwatch.GetTimestamp());
        Assert.False(distance.IsWorth(Small));
        Assert.True(distance.IsWorth(CoreDistance.LeastWork));
    }

    [Fact]
    public void One_quick_run_shows_that_cores_are_near()
    {
        CoreDistance distance = Measured(Many, microseconds: 0.5, Stopwatch.GetTimestamp());
        for (int i = 0; i < Many; i++)
            distance.Record(Ticks(i % 8 == 0 ? 0.05 : 50), Stopwatch.GetTimestamp());
        Assert.True(distance.IsWorth(Small));
    }

    [Fact]
    public void After_a_while_some_work_is_shared_to_see() =>
        Assert.True(Measured(Many, microseconds: 0.5, Stopwatch.GetTimestamp() - 2 * Stopwatch.Frequency).IsWorth(Small));

    private static CoreDistance Measured(int runs, double microseconds, long now)
    {
        CoreDistance distance = default;
        for (int i = 0; i < runs; i++)
            distance.Record(Ticks(microseconds), now);
        return distance;
    }

    private static long Ticks(double microseconds) => (long)(microseconds * Stopwatch.Frequency / 1e6);
}
