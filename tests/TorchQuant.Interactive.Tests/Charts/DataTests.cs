using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class DataTests
{
    [Property]
    public void A_histogram_counts_every_value_once(float[] values, byte bins)
    {
        var histogram = HistogramSeries.Count("a", values, 1 + bins % 100);
        Assert.Equal(values.Length, histogram.Counts.Sum() + histogram.NotCounted);
        Assert.Equal(values.Count(value => !float.IsFinite(value)), histogram.NotCounted);
        if (histogram.Counts.Count == 0) return;
        Assert.Equal(histogram.Counts.Count + 1, histogram.Edges.Count);
        var finite = values.Where(float.IsFinite).ToList();
        Assert.True(histogram.Edges[0] <= finite.Min() && histogram.Edges[^1] >= finite.Max() - Math.Abs(finite.Max()) * 1e-12);
    }

    [Fact]
    public void A_histogram_puts_values_into_their_bins()
    {
        var histogram = HistogramSeries.Count("a", [0f, 0.5f, 1f, 1.5f, 4f], 4);
        Assert.Equal([0, 1, 2, 3, 4], histogram.Edges);
        Assert.Equal([2, 2, 0, 1], histogram.Counts);
    }

    [Fact]
    public void Histograms_over_the_same_range_have_the_same_bins()
    {
        var first = HistogramSeries.Count("a", [-5f, -1f, 0f, 1f, float.NaN], 4, from: -1, to: 1);
        var second = HistogramSeries.Count("b", [0.9f, 7f], 4, from: -1, to: 1);
        Assert.Equal(first.Edges, second.Edges);
        Assert.Equal([1, 0, 1, 1], first.Counts);
        Assert.Equal((2, 1), (first.NotCounted, second.NotCounted));
    }

    [Fact]
    public void A_string_is_an_axis_with_its_unit()
    {
        Assert.Equal(new Axis("loss", "nats"), Axis.Parse("loss [nats]"));
        Assert.Equal(new Axis("step"), Axis.Parse("step"));
        Assert.Equal("loss (nats)", Axis.Parse("loss [nats]").Caption);
        Assert.Equal("x[0] of y", Axis.Parse("x[0] of y").Label);
    }

    [Fact]
    public void A_chart_keeps_its_data_when_the_arrays_change()
    {
        double[] y = [1, 2, 3];
        var series = new List<LineSeries> { new("a", y) };
        var chart = Chart.Lines("t", series);
        var before = chart.ToSvg();
        y[0] = 99;
        series.Clear();
        Assert.Equal(before, chart.ToSvg());
    }

    [Fact]
    public void Lengths_that_do_not_match_are_named()
    {
        Assert.Contains("'train' has 2 x and 3 y", Assert.Throws<ArgumentException>(() => new LineSeries("train", [1.0, 2], [1.0, 2, 3])).Message, StringComparison.Ordinal);
        Assert.Contains("2 categories, but the bars 'int8' have 1", Assert.Throws<ArgumentException>(() => Chart.Bars("t", ["a", "b"], [new BarSeries("int8", [1.0])])).Message, StringComparison.Ordinal);
        Assert.Contains("2 lower", Assert.Throws<ArgumentException>(() => new BarSeries("x", [1.0], [1.0, 2], [1.0])).Message, StringComparison.Ordinal);
        Assert.Contains("one edge more", Assert.Throws<ArgumentException>(() => new HistogramSeries("x", [1.0, 2], [1.0, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("must increase", Assert.Throws<ArgumentException>(() => new HistogramSeries("x", [1.0, 1], [1.0])).Message, StringComparison.Ordinal);
        Assert.Contains("'layer' has 2 lower and 1 upper", Assert.Throws<ArgumentException>(() => new RangeSeries("layer", [1.0, 2], [1.0])).Message, StringComparison.Ordinal);
        Assert.Contains("'layer': the lower end 0 (3) is above", Assert.Throws<ArgumentException>(() => new RangeSeries("layer", [3.0], [1.0])).Message, StringComparison.Ordinal);
        Assert.Contains("2 points and 1 labels", Assert.Throws<ArgumentException>(() => new PointSeries("a", [1.0, 2], [1.0, 2]) { Labels = ["x"] }).Message, StringComparison.Ordinal);
        Assert.Contains("'min-max' goes from 2 to 1", Assert.Throws<ArgumentException>(() => new ReferenceBand("min-max", 2, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("must be finite", Assert.Throws<ArgumentException>(() => new ReferenceBand("min-max", double.NaN, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("positive and finite", Assert.Throws<ArgumentException>(() => new QuantizationGrid(0)).Message, StringComparison.Ordinal);
        Assert.Contains("280 to 2000", Assert.Throws<ArgumentOutOfRangeException>(() => Samples.Tutorial[0] with { Width = 100 }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_are_equal_when_their_numbers_are()
    {
        Values a = [1, double.NaN], b = new List<double> { 1, double.NaN }, c = new[] { 1f, 2f };
        Assert.True(a.Equals(b));
        Assert.Equal(a.GetHashCode(), b.GetHashCode());
        Assert.False(a.Equals(c));
        Assert.Equal([5, 6, 7], Values.Sequence(3, 5));
    }

    [Fact]
    public void A_grid_holds_the_numbers_that_its_codes_stand_for()
    {
        var grid = new QuantizationGrid(0.5, 10, 0, 255);
        Assert.Equal((256, -5.0, 122.5, 0.0), (grid.Levels, grid.Minimum, grid.Maximum, grid.ValueOf(10)));
    }
}
