using FsCheck.Xunit;
using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class LayoutTests
{
    public static TheoryData<int> TutorialCharts => [.. Enumerable.Range(0, Samples.Tutorial.Count)];

    [Theory]
    [MemberData(nameof(TutorialCharts))]
    public void Texts_do_not_overlap_texts(int index)
    {
        foreach (var width in new[] { 360, 720, 1100 }) CheckTexts(Samples.Tutorial[index] with { Width = width });
    }

    [Theory]
    [MemberData(nameof(TutorialCharts))]
    public void Legends_stand_above_the_plot(int index)
    {
        var scene = Samples.Tutorial[index].Draw();
        // The plot begins with its grid lines; titles and legends come before them, and nothing of them reaches into it.
        var marks = scene.Marks.ToList();
        var firstGrid = marks.FindIndex(mark => mark is PathMark { Thickness: 1 });
        var top = marks[firstGrid..].OfType<PathMark>().Where(path => path.Thickness == 1).Min(path => path.Bounds.Top);
        Assert.True(firstGrid > 0);
        Assert.All(marks[..firstGrid], mark => Assert.True(mark.Bounds.Bottom <= top + 1, $"{mark} reaches below {top}"));
    }

    [Theory]
    [MemberData(nameof(TutorialCharts))]
    public void All_marks_lie_within_the_drawing(int index)
    {
        foreach (var width in new[] { 280, 720, 2000 }) CheckWithin(Samples.Tutorial[index] with { Width = width });
    }

    [Property(MaxTest = 100)]
    public void All_marks_of_any_data_lie_within_the_drawing(double[] values, string title, string label)
    {
        foreach (var chart in Samples.Of(values)) CheckWithin(chart with { Title = title ?? "", Subtitle = label ?? "", Caption = label ?? "" });
    }

    [Fact]
    public void All_marks_of_degenerate_data_lie_within_the_drawing()
    {
        foreach (var (_, values) in Samples.Degenerate)
            foreach (var chart in Samples.Of(values)) CheckWithin(chart);
    }

    [Property(MaxTest = 100)]
    public void Any_number_of_series_with_any_names_keeps_the_legend_apart(string[] names)
    {
        var lines = names.Take(40).Select((name, i) => new LineSeries(name ?? "", [i, i + 1.0])).ToList();
        var chart = Chart.Lines("t", lines, "x", "y");
        CheckTexts(chart);
        CheckWithin(chart);
    }

    [Fact]
    public void Long_names_keep_what_differs()
    {
        var texts = Samples.Tutorial.Single(chart => chart is BarChart { Horizontal: false, Categories.Count: 30 }).Draw().Marks.OfType<TextMark>().Where(text => text.Slanted).ToList();
        Assert.True(texts.Count > 10);
        Assert.Equal(texts.Count, texts.Select(text => text.Tooltip).Distinct().Count());
        Assert.Equal(texts.Count, texts.Select(text => text.Text).Distinct().Count());
        Assert.All(texts.Skip(3), text => Assert.EndsWith("weight", text.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Sixty_layers_keep_their_numbers_and_names_that_differ()
    {
        string[] layers = [.. Enumerable.Range(0, 60).Select(i => $"backbone.stage{i / 12}.block{i / 3 % 4}.branch.{i % 3}.depthwise_convolution.{(i % 2 == 0 ? "conv" : "norm")}")];
        var chart = Chart.Bars("SQNR", layers, [new BarSeries("int8", [.. layers.Select((_, i) => i % 7 == 0 ? -3.5 : 20.5 + i)])], "SQNR [dB]", horizontal: true);
        foreach (var width in new[] { 560, 720, 1100 })
        {
            var scene = (chart with { Width = width }).Draw();
            var names = scene.Marks.OfType<TextMark>().Where(text => text.Anchor == Anchor.End && text.Size == Frame.LabelSize).Select(text => text.Text).ToList();
            Assert.Equal(60, names.Count);
            Assert.Equal(60, names.Distinct().Count());
            Assert.Equal(60, scene.Marks.OfType<TextMark>().Count(text => text.Size == BarPlot.ValueSize));
        }
    }

    [Theory]
    [InlineData("model.stage1.depthwise_convolution2.norm", 32, "model.stage1.depthwise_con…2.norm")]
    [InlineData("features.1.conv.0.0", 36, "features.1.conv.0.0")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20, "aaaaaaaaaaaaaaaaaa…")]
    public void Long_parts_of_a_name_give_way_before_short_ones_and_numbers(string name, int columns, string shortened)
    {
        var width = columns * TextMetrics.Width("a", 12);
        Assert.Equal(shortened, Assert.Single(CategoryNames.Shortened([name], 12, _ => width)));
    }

    [Fact]
    public void Numbers_stand_at_the_end_of_every_bar_that_has_room()
    {
        var scene = Chart.Bars("t", ["a", "b"], [new BarSeries("float", [10.0, 4]), new BarSeries("int8", [2.5, 1])]).Draw();
        foreach (var number in new[] { "10", "4", "2.5", "1" }) Assert.Contains(scene.Marks.OfType<TextMark>(), text => text.Text == number && text.Size == BarPlot.ValueSize);
    }

    [Fact]
    public void Stacks_show_their_total_and_the_parts_that_fit()
    {
        var scene = Chart.Bars("t", ["a"], [new BarSeries("x", [60.0]), new BarSeries("y", [40.0])], layout: BarLayout.Stacked, horizontal: true).Draw();
        foreach (var number in new[] { "60", "40", "100" }) Assert.Contains(scene.Marks.OfType<TextMark>(), text => text.Text == number && text.Size == BarPlot.ValueSize);
    }

    [Fact]
    public void A_data_type_keeps_its_colour_whether_series_or_category_name_it()
    {
        BarSeries[] modules = [new("encoder", [4.0, 1]), new("lstm", [4.0, 1])];
        var stack = Chart.Bars("t", ["float", "int8"], modules, layout: BarLayout.Stacked).Draw().Marks.OfType<RectMark>().Where(rect => rect.Tooltip.Length > 0).ToList();
        Assert.Equal([Palette.Float, Palette.Float, Palette.Int8, Palette.Int8], stack.Select(rect => rect.Fill.Color));
        Assert.Equal(2, stack.Take(2).Select(rect => rect.Fill.Opacity).Distinct().Count());
        var groups = Chart.Bars("t", ["encoder", "lstm"], [new BarSeries("float", [4.0, 4]), new BarSeries("int8", [1.0, 1])]).Draw().Marks.OfType<RectMark>().Where(rect => rect.Tooltip.Length > 0);
        Assert.Equal([Palette.Float, Palette.Int8, Palette.Float, Palette.Int8], groups.Select(rect => rect.Fill.Color));
        var single = Chart.Bars("t", ["float", "other"], [new BarSeries("time", [4.0, 1])]).Draw().Marks.OfType<RectMark>();
        Assert.Equal([Palette.Float, Palette.Series[0]], single.Select(rect => rect.Fill.Color));
    }

    [Fact]
    public void Bars_are_as_long_as_their_values()
    {
        var rects = Chart.Bars("t", ["a", "b"], [new BarSeries("x", [10.0, 2.5])]).Draw().Marks.OfType<RectMark>().ToList();
        Assert.Equal(4, rects[0].Height / rects[1].Height, 6);
        var lying = Chart.Bars("t", ["a", "b"], [new BarSeries("x", [10.0, 2.5])], horizontal: true).Draw().Marks.OfType<RectMark>().ToList();
        Assert.Equal(4, lying[0].Width / lying[1].Width, 6);
    }

    [Fact]
    public void The_comb_has_a_tooth_per_level_that_it_says()
    {
        const int levels = 16;
        var scene = Chart.Histogram("t", [-0.7f, 0.7f], "w", new QuantizationGrid(0.1, 0, -8, 7)).Draw();
        var teeth = scene.Marks.OfType<PathMark>().Where(path => path.Stroke.Color == Palette.Int8 && path.Bounds.Bottom - path.Bounds.Top < Comb.Height && path.Bounds.Left == path.Bounds.Right).ToList();
        Assert.Equal(levels, teeth.Count);
        Assert.Contains(scene.Marks.OfType<TextMark>(), text => text.Text.StartsWith("int4 grid, step 0.1", StringComparison.Ordinal));
        var crowded = Chart.Histogram("t", [-0.7f, 0.7f], "w", new QuantizationGrid(2.0 / 65535, 0, -32768, 32767)).Draw();
        Assert.Contains(crowded.Marks.OfType<TextMark>(), text => text.Text.Contains("int16 grid, step 3.05×10⁻⁵, 1 of 512 drawn", StringComparison.Ordinal));
    }

    private static void CheckTexts(Chart chart)
    {
        // Slanted texts are parallel; their upright boxes say nothing about them.
        var texts = chart.Draw().Marks.OfType<TextMark>().Where(text => !text.Slanted && text.Text.Length > 0).ToList();
        for (var i = 0; i < texts.Count; i++)
            for (var k = i + 1; k < texts.Count; k++)
                Assert.False(texts[i].Bounds.Overlaps(texts[k].Bounds), $"{chart.Title} at {chart.Width}: '{texts[i].Text}' {texts[i].Bounds} overlaps '{texts[k].Text}' {texts[k].Bounds}");
    }

    private static void CheckWithin(Chart chart)
    {
        var scene = chart.Draw();
        foreach (var mark in scene.Marks)
        {
            var box = mark.Bounds;
            Assert.True(box.Left >= -0.01 && box.Top >= -0.01 && box.Right <= scene.Width + 0.01 && box.Bottom <= scene.Height + 0.01, $"{chart.Title} at {chart.Width}: {mark} {box} outside {scene.Width} x {scene.Height}");
        }
    }
}
