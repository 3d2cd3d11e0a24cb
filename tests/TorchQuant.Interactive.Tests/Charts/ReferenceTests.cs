using FsCheck.Xunit;
using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class ReferenceTests
{
    private static readonly HistogramSeries Bins = new("float", [0.0, 2, 4, 6, 8, 10], [1.0, 5, 9, 3, 1]);

    [Property(MaxTest = 200)]
    public void Names_of_upright_lines_meet_neither_each_other_nor_another_line(byte[] positions, string name)
    {
        var lines = positions.Take(9).Select((at, i) => new ReferenceLine($"{name} {i}", at * 10.0 / 255, OnX: true)).ToList();
        var scene = Chart.Histograms("t", [Bins], references: lines).Draw();
        var names = scene.Marks.OfType<TextMark>().Where(text => lines.Exists(line => (text.Tooltip.Length > 0 ? text.Tooltip : text.Text) == line.Name)).ToList();
        Assert.Equal(lines.Count, names.Count);
        for (var i = 0; i < names.Count; i++)
            for (var k = i + 1; k < names.Count; k++) Assert.False(names[i].Bounds.Overlaps(names[k].Bounds), $"'{names[i].Text}' overlaps '{names[k].Text}'");
        var dashed = scene.Marks.OfType<PathMark>().Where(path => path.Dash.Length > 0 && path.Bounds.Left == path.Bounds.Right).ToList();
        Assert.All(names, text => Assert.DoesNotContain(dashed, path => new Box(path.Bounds.Left - 0.5, path.Bounds.Top, path.Bounds.Left + 0.5, path.Bounds.Bottom).Overlaps(text.Bounds)));
    }

    // Replay: (6850888304852659652,4613826760279927907,47).
    [Fact]
    public void A_name_that_ends_just_before_another_line_gives_way() => Names_of_upright_lines_meet_neither_each_other_nor_another_line([235, 187], "aaa\"aiaaaSaa.r%");

    [Fact]
    public void Upright_lines_are_named_above_the_plot_and_lying_ones_in_the_legend()
    {
        var marks = Chart.Histograms("t", [Bins], references: [new ReferenceLine("mean", 4, OnX: true), new ReferenceLine("most", 9)]).Draw().Marks;
        var (mean, most) = (Text(marks, "mean"), Text(marks, "most"));
        Assert.True(most.Y < mean.Y, "the legend stands above the names of lines");
        // The name stands beside its line, which goes up to it.
        Assert.Contains(marks.OfType<PathMark>(), path => path.Dash.Length > 0 && Math.Abs(path.Bounds.Left - (mean.X - 5)) < 0.01 && path.Bounds.Top <= mean.Y);
    }

    [Fact]
    public void Bands_have_rows_of_their_own_that_span_them_and_shades_in_the_plot()
    {
        ReferenceBand[] bands = [new("min-max", 0, 10, OnX: true), new("entropy", 2.5, 5, OnX: true)];
        var marks = Chart.Histograms("t", [Bins], bands: bands).Draw().Marks;
        var rows = marks.OfType<RectMark>().Where(rect => rect.Tooltip.EndsWith(" to 10", StringComparison.Ordinal) || rect.Tooltip.EndsWith(" to 5", StringComparison.Ordinal)).Where(rect => rect.Height < 10).ToList();
        Assert.Equal(2, rows.Count);
        Assert.Equal(4, rows[0].Width / rows[1].Width, 6);
        Assert.Equal(rows[0].X + rows[0].Width / 4, rows[1].X, 6);
        Assert.NotEqual(rows[0].Fill.Color, rows[1].Fill.Color);
        foreach (var row in rows)
        {
            var shade = Assert.Single(marks.OfType<RectMark>(), rect => rect.Fill.Color == row.Fill.Color && rect.Fill.Opacity < 0.2);
            Assert.Equal((row.X, row.Width), (shade.X, shade.Width));
            Assert.True(shade.Y > row.Y + row.Height);
        }
        Assert.NotNull(Text(marks, "entropy: 2.5 to 5"));
    }

    [Fact]
    public void A_band_far_beyond_the_data_does_not_squeeze_it()
    {
        ReferenceBand[] far = [new("far", -1e6, 5, OnX: true)], near = [new("near", -5, 5, OnX: true)];
        var squeezed = Chart.Histograms("t", [Bins], bands: far).Draw().Marks.OfType<RectMark>().Where(rect => rect.Tooltip.StartsWith("float", StringComparison.Ordinal)).ToList();
        Assert.True(squeezed.Sum(rect => rect.Width) > 500);
        // One that is near is reached.
        var whole = Chart.Histograms("t", [Bins], bands: near).Draw().Marks.OfType<RectMark>().Where(rect => rect.Tooltip.StartsWith("float", StringComparison.Ordinal)).ToList();
        Assert.True(whole.Sum(rect => rect.Width) < 500);
    }

    [Fact]
    public void A_band_of_values_spans_the_plot_and_is_in_the_legend()
    {
        var marks = Chart.Ranges("t", [new RangeSeries("float", [-1.0, -2], [1.0, 3])], bands: [new ReferenceBand("all", -2, 3)]).Draw().Marks;
        var bars = marks.OfType<RectMark>().Where(rect => rect.Tooltip.StartsWith("float,", StringComparison.Ordinal)).ToList();
        var band = Assert.Single(marks.OfType<RectMark>(), rect => rect.Tooltip == "all: −2 to 3");
        Assert.Equal((bars.Min(rect => rect.Y), bars.Max(rect => rect.Y + rect.Height)), (band.Y, band.Y + band.Height));
        Assert.True(band.X <= bars.Min(rect => rect.X) && band.X + band.Width >= bars.Max(rect => rect.X + rect.Width));
        Assert.NotNull(Text(marks, "all: −2 to 3"));
    }

    [Fact]
    public void Each_channel_has_a_bar_as_long_as_its_range_and_thousands_share_pixels()
    {
        var bars = Bars(64);
        Assert.Equal(64, bars.Count);
        Assert.All(bars, bar => Assert.True(bar.Width > 3));
        Assert.Equal(64, bars[63].Height / bars[0].Height, 6);
        Assert.Equal("w, 63: −64 to 64", bars[63].Tooltip);
        Assert.InRange(Bars(20_000).Count, 300, 720);

        static List<RectMark> Bars(int channels) =>
            [.. Chart.Ranges("t", [new RangeSeries("w", Values.From(Enumerable.Range(1, channels).Select(i => -(double)i)), Values.Sequence(channels))]).Draw().Marks.OfType<RectMark>()];
    }

    [Fact]
    public void The_rarest_bin_has_a_bar_on_a_logarithmic_axis()
    {
        var bars = Chart.Histograms("t", [Bins], y: new Axis("count").Logarithmic()).Draw().Marks.OfType<RectMark>().ToList();
        Assert.Equal(5, bars.Count);
        Assert.All(bars, bar => Assert.True(bar.Height > 10, $"{bar.Tooltip}: {bar.Height}"));
    }

    private static TextMark Text(IReadOnlyList<Mark> marks, string text) => Assert.Single(marks.OfType<TextMark>(), mark => mark.Text == text);
}
