using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class TextChartTests
{
    [Fact]
    public void Bars_are_rows_with_blocks_and_numbers()
    {
        var text = Chart.Bars("Size", ["float", "int8"], [new BarSeries("size", [40.0, 10])], "size [MB]").ToText();
        Assert.Equal(["Size", "[size (MB)]", "float " + new string('█', 40) + " 40", "int8  " + new string('█', 10) + " 10"], text.Split('\n'));
    }

    [Fact]
    public void Wide_characters_take_two_columns()
    {
        var rows = Chart.Bars("t", ["임베딩", "lstm"], [new BarSeries("x", [1.0, 1])]).ToText().Split('\n');
        Assert.StartsWith("임베딩 █", rows[1], StringComparison.Ordinal);
        Assert.StartsWith("lstm   █", rows[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_fall_on_the_grid_where_their_values_are()
    {
        var rows = Chart.Lines("t", [new LineSeries("a", [0.0, 10])], y: "y").ToText().Split('\n');
        Assert.EndsWith("●", rows[2], StringComparison.Ordinal);
        Assert.Contains("┤●", rows[15], StringComparison.Ordinal);
        Assert.Equal(62, rows.Sum(row => row.Count(c => c == '·')));
        Assert.Contains("● a", rows[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_chart_fits_a_terminal()
    {
        foreach (var chart in Samples.Tutorial)
            Assert.All(chart.ToText().Split('\n'), line => Assert.InRange(line.Length, 0, 150));
    }

    [Fact]
    public void A_histogram_tells_its_grid()
    {
        var text = Chart.Histogram("t", [0f, 1f, 1f], "w", new QuantizationGrid(0.5, 0, -8, 7), bins: 2).ToText();
        Assert.Contains("16 levels, 0.5 apart, from −4 to 3.5", text, StringComparison.Ordinal);
        Assert.Contains("0 … 0.5", text, StringComparison.Ordinal);
    }
}
