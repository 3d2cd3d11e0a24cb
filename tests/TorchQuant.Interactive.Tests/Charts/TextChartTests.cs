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

    [Fact]
    public void Histograms_tell_their_bands_and_lines()
    {
        var text = Chart.Histogram("t", [0f, 1f, 1f], "w", bins: 2) with { Bands = [new ReferenceBand("entropy", 0, 0.5, OnX: true)], References = [new ReferenceLine("mean", 0.667, OnX: true), new ReferenceLine("most", 2)] };
        Assert.EndsWith("entropy: 0 to 0.5\nmean: 0.667\nmost: 2", text.ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_on_a_logarithmic_axis_show_the_rare_beside_the_frequent()
    {
        var histogram = new HistogramSeries("a", [0.0, 1, 2], [99_999.0, 9]);
        var rows = Chart.Histograms("t", [histogram], y: new Axis("count").Logarithmic()).ToText().Split('\n');
        Assert.Equal(40, rows[2].Count(c => c == '█'));
        Assert.Equal(8, rows[3].Count(c => c == '█'));
    }

    [Fact]
    public void Labelled_points_are_listed_with_their_numbers() => Assert.EndsWith("int8: 2.41, 91.52", Chart.Points("t", [new PointSeries("a", [2.41], [91.52]) { Labels = ["int8"] }]).ToText(), StringComparison.Ordinal);

    [Fact]
    public void Ranges_are_standing_lines()
    {
        var rows = Chart.Ranges("t", [new RangeSeries("a", [0.0, 5], [10.0, 5])], bands: [new ReferenceBand("all", 0, 10)]).ToText().Split('\n');
        Assert.Equal(14, rows.Count(row => row.Contains("┤│", StringComparison.Ordinal) || row.Contains("││", StringComparison.Ordinal)));
        Assert.Equal("all: 0 to 10", rows[^1]);
    }

    [Fact]
    public void A_confusion_matrix_is_a_table_and_of_many_classes_its_most_frequent_mistakes()
    {
        var text = new ConfusionMatrix("float", ["cat", "dog"], [[9, 1], [0, 10]]).ToText();
        Assert.Equal(["float", "true \\ predicted  0   1  right (%)", "────────────────  ─  ──  ─────────", "0 cat             9   1       90.0", "1 dog             0  10      100.0", "95.00\u00a0% of 20 are right."], text.Split('\n'));
        var many = Samples.Confusion("t", 100).ToText().Split('\n');
        Assert.Equal(["true", "class", "taken", "for", "times"], many[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("The 24 most frequent of", many[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_confusions_says_what_came_and_went()
    {
        var text = new ConfusionChange("change", new ConfusionMatrix("float", ["cat", "dog"], [[9, 1], [0, 10]]), new ConfusionMatrix("int8", ["cat", "dog"], [[7, 3], [0, 10]])).ToText().Split('\n');
        Assert.Equal(["0", "cat", "−2", "+2", "−20.0"], text[3].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("Right: 95.00\u00a0% with float, 85.00\u00a0% with int8 (−10.00 points).", text[^1]);
    }
}
