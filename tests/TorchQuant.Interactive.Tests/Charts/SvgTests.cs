using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public partial class SvgTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static TheoryData<string> DegenerateNames => [.. Samples.Degenerate.Select(sample => sample.Name)];

    [Theory]
    [MemberData(nameof(DegenerateNames))]
    public void Degenerate_data_gives_well_formed_svg_with_finite_coordinates(string name)
    {
        foreach (var chart in Samples.Of(Samples.Degenerate.Single(sample => sample.Name == name).Values)) CheckNumbers(chart);
    }

    [Property(MaxTest = 60)]
    public void Any_data_gives_well_formed_svg_with_finite_coordinates(double[] values)
    {
        foreach (var chart in Samples.Of(values)) CheckNumbers(chart);
    }

    [Fact]
    public void Markup_in_any_text_stays_text()
    {
        const string evil = Samples.Evil;
        Chart[] charts =
        [
            Chart.Lines(evil, [new LineSeries(evil, [1.0, 2]), new LineSeries(evil + "2", [1.0, 2])], new Axis(evil, evil), new Axis(evil, evil), evil, evil, [new ReferenceLine(evil, 1)]),
            Chart.Bars(evil, [evil, evil + evil + evil], [new BarSeries(evil, [1.0, 2]), new BarSeries(evil, [1.0, 2])], new Axis(evil), BarLayout.Stacked, false, evil, evil, evil),
            Chart.Bars(evil, [evil, evil + evil + evil], [new BarSeries(evil, [1.0, 2])], new Axis(evil), horizontal: true, category: evil),
            Chart.Histogram(evil, [1f, 2f], evil, new QuantizationGrid(1), name: evil),
            Chart.Points(evil, [new PointSeries(evil, [1.0], [1.0]) { Color = "red\"/><script>", Labels = [evil] }]),
            Chart.Ranges(evil, [new RangeSeries(evil, [1.0], [2.0])], evil, evil, references: [new ReferenceLine(evil, 0.5, OnX: true)], bands: [new ReferenceBand(evil, 0, 1), new ReferenceBand(evil, 0, 1, OnX: true) { Color = evil }]),
            new ConfusionMatrix(evil, [evil, evil + evil + evil], [[5, 1], [2, 3]]),
            new ConfusionChange(evil, new ConfusionMatrix(evil, [evil], [[5]]), new ConfusionMatrix(evil, [evil], [[4]])),
        ];
        foreach (var chart in charts)
        {
            foreach (var markup in new[] { chart.ToSvg(), chart.ToHtml() })
            {
                Assert.DoesNotContain("<script", markup, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain(XDocument.Parse(markup).Descendants(), e => e.Name.LocalName == "script");
            }
            Assert.Contains("alert(", XDocument.Parse(chart.ToSvg()).Root!.Element(Svg + "title")!.Value, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_same_chart_gives_the_same_bytes_and_another_chart_another_id()
    {
        var ids = new HashSet<string>();
        foreach (var chart in Samples.Tutorial)
        {
            Assert.Equal(chart.ToSvg(), (chart with { }).ToSvg());
            Assert.True(ids.Add((string)XDocument.Parse(chart.ToSvg()).Root!.Attribute("id")!), "two charts have one id");
        }
    }

    [Fact]
    public void A_document_names_and_describes_itself_and_brings_its_own_ground_and_ink()
    {
        foreach (var chart in Samples.Tutorial)
        {
            var root = XDocument.Parse(chart.ToSvg()).Root!;
            var id = (string)root.Attribute("id")!;
            Assert.Equal("img", (string)root.Attribute("role")!);
            Assert.Equal($"{id}-t {id}-d", (string)root.Attribute("aria-labelledby")!);
            Assert.Equal(chart.Title, root.Element(Svg + "title")!.Value);
            Assert.NotEmpty(root.Element(Svg + "desc")!.Value);
            var style = root.Element(Svg + "style")!.Value;
            Assert.Contains("prefers-color-scheme:dark", style, StringComparison.Ordinal);
            // Each of the two colour schemes sets both ink and ground.
            Assert.Equal(2, style.Split($"#{id}{{color:").Length - 1);
            Assert.Equal(2, style.Split($"#{id}-g{{fill:").Length - 1);
            Assert.Single(root.Elements(Svg + "rect"), rect => (string?)rect.Attribute("id") == id + "-g");
        }
    }

    [Fact]
    public void Inline_charts_have_no_colours_but_the_datas_and_the_pages()
    {
        foreach (var chart in Samples.Tutorial)
        {
            var figure = XDocument.Parse(chart.ToHtml());
            Assert.Empty(figure.Descendants(Svg + "style"));
            foreach (var paint in figure.Descendants().Attributes().Where(a => a.Name.LocalName is "fill" or "stroke").Select(a => a.Value))
                Assert.True(paint is "none" or "currentColor" or "#ffffff" or "#101418" || Palette.Series.Contains(paint), $"{chart.Title}: {paint}");
        }
    }

    [Fact]
    public void Bars_tell_their_value_when_pointed_at()
    {
        var svg = XDocument.Parse(Chart.Bars("t", ["a"], [new BarSeries("float", [2.5], [2.0], [3.0])], "time [ms]").ToSvg());
        Assert.Contains(svg.Descendants(Svg + "rect"), rect => rect.Element(Svg + "title")?.Value == "a, float: 2.5 ms (2 to 3)");
    }

    [Fact]
    public void Values_that_cannot_be_drawn_are_counted_in_the_caption()
    {
        Assert.Contains("Not drawn: 2 of 4 values", Chart.Lines("t", [new LineSeries("a", [1, double.NaN, double.PositiveInfinity, 2])]).ToSvg(), StringComparison.Ordinal);
        Assert.Contains("logarithmic", Chart.Lines("t", [new LineSeries("a", [1.0, -1])], y: new Axis("y").Logarithmic()).ToSvg(), StringComparison.Ordinal);
        Assert.Contains("In no bin: 1 values", Chart.Histogram("t", [1f, float.NaN, 2f]).ToSvg(), StringComparison.Ordinal);
        Assert.DoesNotContain("Not drawn", Chart.Lines("t", [new LineSeries("a", [1.0, 2])]).ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_a_million_points_stays_small_and_keeps_its_extremes()
    {
        var y = new double[1_000_000];
        for (var i = 0; i < y.Length; i++) y[i] = Math.Sin(i * 0.001);
        y[500_001] = 40;
        var svg = Chart.Lines("t", [new LineSeries("a", y)], y: "y").ToSvg();
        Assert.InRange(svg.Length, 1000, 120_000);
        var spike = XDocument.Parse(svg).Descendants(Svg + "path").Select(p => (string)p.Attribute("d")!).Single(d => d.Length > 5000);
        var ys = Numbers().Matches(spike).Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture)).Where((_, i) => i % 2 == 1).ToList();
        Assert.True(ys.Max() - ys.Min() > 170, "the spike is not drawn");
    }

    [Fact]
    public void Stacked_bars_on_a_logarithmic_axis_are_refused()
    {
        var chart = Chart.Bars("Sizes", ["a"], [new BarSeries("x", [1.0])], new Axis("v").Logarithmic(), BarLayout.Stacked);
        Assert.Contains("'Sizes'", Assert.Throws<ArgumentException>(chart.ToSvg).Message, StringComparison.Ordinal);
    }

    private static void CheckNumbers(Chart chart)
    {
        var svg = chart.ToSvg();
        foreach (var attribute in XDocument.Parse(svg).Descendants().Attributes().Where(a => a.Name.LocalName is "x" or "y" or "width" or "height" or "d" or "viewBox" or "transform" or "stroke-width"))
        {
            Assert.DoesNotMatch("NaN|Infinity|∞|E", attribute.Value.Replace("currentColor", "", StringComparison.Ordinal));
            if (attribute.Name.LocalName is "width" or "height") Assert.True(double.Parse(attribute.Value, CultureInfo.InvariantCulture) >= 0, $"{chart.Title}: {attribute}");
        }
        Assert.NotEmpty(chart.ToText());
    }

    [GeneratedRegex(@"-?\d+(\.\d+)?")]
    private static partial Regex Numbers();
}
