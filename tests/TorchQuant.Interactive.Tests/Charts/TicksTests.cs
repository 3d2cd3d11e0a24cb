using System.Globalization;
using FsCheck.Xunit;
using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class TicksTests
{
    [Property(MaxTest = 2000)]
    public void Linear_ticks_cover_the_data_rise_evenly_and_differ_in_their_labels(double a, double b, byte size)
    {
        if (!Usable(a) || !Usable(b)) return;
        var most = 2 + size % 10;
        double low = Math.Min(a, b), high = Math.Max(a, b);
        var ticks = Ticks.Linear(low, high, most);
        Assert.True(ticks.Low <= low && ticks.High >= high, $"{ticks.Low} to {ticks.High} does not cover {low} to {high}");
        Assert.InRange(ticks.Positions.Count, 2, most + 3);
        var step = ticks.Positions[1] - ticks.Positions[0];
        for (var i = 1; i < ticks.Positions.Count; i++) Assert.Equal(1, (ticks.Positions[i] - ticks.Positions[i - 1]) / step, 1e-3);
        Assert.Equal(ticks.Labels.Count, ticks.Labels.Distinct().Count());
        Assert.All(ticks.Labels, label => Assert.InRange(label.Length, 1, 20));
    }

    [Property(MaxTest = 2000)]
    public void Logarithmic_ticks_cover_the_data_and_rise(double a, double b)
    {
        double low = Math.Clamp(Math.Abs(a), 1e-290, 1e290), high = Math.Clamp(Math.Abs(b), 1e-290, 1e290);
        if (!double.IsFinite(a) || !double.IsFinite(b)) return;
        if (low > high) (low, high) = (high, low);
        var ticks = Ticks.Logarithmic(low, high, 6);
        Assert.True(ticks.Low <= low * (1 + 1e-8) && ticks.High >= high * (1 - 1e-8));
        Assert.InRange(ticks.Positions.Count, 2, 7);
        Assert.Equal(ticks.Positions.Order(), ticks.Positions);
        Assert.Equal(ticks.Labels.Count, ticks.Labels.Distinct().Count());
    }

    [Theory]
    [InlineData(0, 10, 5, "0|2|4|6|8|10")]
    [InlineData(0, 1, 5, "0.0|0.2|0.4|0.6|0.8|1.0")]
    [InlineData(-1, 1, 4, "−1.0|−0.5|0.0|0.5|1.0")]
    [InlineData(3, 11, 4, "2|4|6|8|10|12")]
    [InlineData(0, 4300, 5, "0|1,000|2,000|3,000|4,000|5,000")]
    [InlineData(0, 2.5e7, 5, "0|5×10⁶|10⁷|1.5×10⁷|2×10⁷|2.5×10⁷")]
    [InlineData(0, 3e-6, 3, "0|10⁻⁶|2×10⁻⁶|3×10⁻⁶")]
    [InlineData(5, 5, 4, "4.4|4.6|4.8|5.0|5.2|5.4|5.6")]
    public void Ticks_are_numbers_that_people_choose(double low, double high, int most, string labels)
    {
        var ticks = Ticks.Linear(low, high, most);
        Assert.Equal(labels.Split('|').Where(_ => low < high), ticks.Labels.Where(_ => low < high));
        Assert.All(ticks.Positions, position => Assert.Equal(position, double.Parse(position.ToString("G12", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Decades_are_all_plain_or_all_powers()
    {
        Assert.Equal(["0.001", "0.01", "0.1", "1", "10"], Ticks.Logarithmic(0.002, 9, 6).Labels);
        Assert.Equal(["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²"], Ticks.Logarithmic(2e-5, 9e-3, 6).Labels);
        Assert.Equal(["1", "2", "5", "10"], Ticks.Logarithmic(1.5, 9, 6).Labels);
    }

    private static bool Usable(double value) => double.IsFinite(value) && Math.Abs(value) <= Ticks.Largest && (value == 0 || Math.Abs(value) > 1e-280);
}
