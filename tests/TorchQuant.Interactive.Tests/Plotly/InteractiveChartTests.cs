using System.Text.Json;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Interactive.Tests.Charts;
using Xunit;

namespace TorchQuant.Interactive.Tests.Figures;

public class InteractiveChartTests
{
    public static TheoryData<int> TutorialCharts => [.. Enumerable.Range(0, Samples.Tutorial.Count)];

    [Theory]
    [MemberData(nameof(TutorialCharts))]
    public void Every_chart_has_a_figure_with_its_data_and_its_static_form(int index)
    {
        var chart = Samples.Tutorial[index];
        var html = Parse(chart.Interactive().ToHtml());
        var figure = html.QuerySelector("figure[data-tq-plotly]")!;
        Assert.NotNull(figure.QuerySelector("svg"));
        using var json = JsonDocument.Parse(figure.QuerySelector("script[type='application/json']")!.TextContent);
        Assert.NotEmpty(json.RootElement.GetProperty("data").EnumerateArray());
        Assert.Equal(chart.Title, json.RootElement.GetProperty("layout").GetProperty("title").GetProperty("text").GetString());
        Assert.Equal(chart.ToSvg(), chart.Interactive().ToSvg());
        Assert.Equal(chart.ToText(), chart.Interactive().ToText());
    }

    [Fact]
    public void Colours_units_and_numbers_are_those_of_the_static_chart()
    {
        using var lines = Figure(Chart.Lines("t", [new LineSeries("float", [1.5, double.NaN, 2]), new LineSeries("int8", [1, 2, double.PositiveInfinity])], "step", new Axis("loss", "nats").Logarithmic(), references: [new ReferenceLine("uniform", 3)]));
        var data = lines.RootElement.GetProperty("data");
        Assert.Equal([Palette.Float, Palette.Int8, Palette.Neutral], data.EnumerateArray().Take(3).Select(trace => trace.GetProperty("line").GetProperty("color").GetString()));
        Assert.Equal("[1.5,null,2.0]", data[0].GetProperty("y").GetRawText());
        Assert.Equal("[1.0,2.0,null]", data[1].GetProperty("y").GetRawText());
        var y = lines.RootElement.GetProperty("layout").GetProperty("yaxis");
        Assert.Equal(("loss (nats)", "log"), (y.GetProperty("title").GetProperty("text").GetString(), y.GetProperty("type").GetString()));
        Assert.Equal("uniform", data[2].GetProperty("name").GetString());

        using var bars = Figure(Chart.Bars("t", ["float", "int8", "float"], [new BarSeries("time", [4, 1, 4.5], [3, 0.5, 4], [6, 1.5, 5])], "time [ms]"));
        var bar = bars.RootElement.GetProperty("data")[0];
        Assert.Equal(["rgba(61,109,204,1)", "rgba(200,104,15,1)", "rgba(61,109,204,1)"], bar.GetProperty("marker").GetProperty("color").EnumerateArray().Select(color => color.GetString()));
        Assert.Equal("[2.0,0.5,0.5]", bar.GetProperty("error_y").GetProperty("array").GetRawText());
        // Equal names stay two bars.
        Assert.Equal("[0,1,2]", bar.GetProperty("x").GetRawText());
        Assert.Equal(["float", "int8", "float"], bars.RootElement.GetProperty("layout").GetProperty("xaxis").GetProperty("ticktext").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public void Data_that_nobody_wants_to_draw_is_valid_json()
    {
        foreach (var (name, values) in Samples.Degenerate)
            foreach (var chart in Samples.Of(values))
                using (var figure = Figure(chart))
                    Assert.True(figure.RootElement.TryGetProperty("layout", out _), name);
    }

    [Property(MaxTest = 100)]
    public Property No_text_leaves_its_place(string? first, string? second)
    {
        var text = $"{first}</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\u2028&lt;b&gt;\ud800\"'{second}";
        var chart = Chart.Bars(text, [text], [new BarSeries(text, [1], [0], [2]), new BarSeries(text, [1])], new Axis(text, text), category: text, subtitle: text, caption: text, references: [new ReferenceLine(text, 1)]);
        var html = Parse(chart.Interactive().ToHtml());
        Assert.Equal(2, html.QuerySelectorAll("script").Length);
        Assert.Empty(html.QuerySelectorAll("img"));
        Assert.Empty(html.Descendants<IComment>());
        using var json = JsonDocument.Parse(html.QuerySelector("script[type='application/json']")!.TextContent);
        // Plotly reads tags and entities: there are none of ours left in what it gets.
        Assert.All(Strings(json.RootElement), value => Assert.DoesNotMatch("[<>]|&(?!amp;|lt;|gt;)", value));
        return true.ToProperty();
    }

    [Fact]
    public void A_page_holds_the_library_once_and_loads_nothing()
    {
        var page = InteractivePage.Html("A <b>page", [Samples.Tutorial[0], new Gallery([Samples.Tutorial[1], Samples.Tutorial[2]]), new Table("t", ["a"], [[1]])]);
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(page, @"plotly\.js v2"));
        var html = Parse(page);
        Assert.Equal(3, html.QuerySelectorAll("figure[data-tq-plotly]").Length);
        Assert.Empty(html.QuerySelectorAll("[src],link,iframe"));
        Assert.Equal("A <b>page", html.Title);
        Assert.DoesNotContain("plotly.js v2", InteractivePage.Html("none", [new Table("t", ["a"], [[1]])]), StringComparison.Ordinal);
        // The same page again has the same bytes.
        Assert.Equal(page, InteractivePage.Html("A <b>page", [Samples.Tutorial[0], new Gallery([Samples.Tutorial[1], Samples.Tutorial[2]]), new Table("t", ["a"], [[1]])]));
    }

    private static JsonDocument Figure(Chart chart) => JsonDocument.Parse(Parse(chart.Interactive().ToHtml()).QuerySelector("script[type='application/json']")!.TextContent);

    private static IDocument Parse(string html) => new HtmlParser().ParseDocument(html.StartsWith("<!DOCTYPE", StringComparison.Ordinal) ? html : $"<!DOCTYPE html><html><body>{html}</body></html>");

    private static IEnumerable<string> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Strings(member.Value)),
        _ => [],
    };
}
