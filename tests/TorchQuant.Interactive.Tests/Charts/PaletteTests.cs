using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class PaletteTests
{
    // Machado, Oliveira and Fernandes 2009, severity 1: what people without one kind of cone see, in linear light.
    private static readonly Dictionary<string, double[,]> Sights = new()
    {
        ["all cones"] = new double[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
        ["protanopia"] = new double[,] { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 }, { -0.003882, -0.048116, 1.051998 } },
        ["deuteranopia"] = new double[,] { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 }, { -0.011820, 0.042940, 0.968881 } },
        ["tritanopia"] = new double[,] { { 1.255528, -0.076749, -0.178779 }, { -0.078411, 0.930809, 0.147602 }, { 0.004733, 0.691367, 0.303900 } },
    };

    [Fact]
    public void Every_colour_is_seen_on_light_and_on_dark_pages()
    {
        foreach (var color in Palette.Series)
            foreach (var page in new[] { "#ffffff", "#1e1e1e", "#0d1117" }) Assert.True(Contrast.Ratio(color, page) >= 3, $"{color} on {page}: {Contrast.Ratio(color, page)}");
    }

    [Fact]
    public void The_data_types_colours_differ_for_every_kind_of_sight()
    {
        string[] types = [Palette.Float, Palette.Int8, Palette.FakeQuant, Palette.Float16];
        foreach (var (sight, matrix) in Sights)
            foreach (var (a, b) in types.SelectMany((a, i) => types.Skip(i + 1).Select(b => (a, b))))
                Assert.True(Distance(Seen(a, matrix), Seen(b, matrix)) > 0.1, $"{a} and {b} with {sight}: {Distance(Seen(a, matrix), Seen(b, matrix))}");
    }

    [Fact]
    public void Signs_differ_for_every_kind_of_sight()
    {
        foreach (var (sight, matrix) in Sights)
            Assert.True(Distance(Seen(Palette.Positive, matrix), Seen(Palette.Negative, matrix)) > 0.1, sight);
    }

    [Theory]
    [InlineData("float", Palette.Float)]
    [InlineData("Float32 (before)", Palette.Float)]
    [InlineData("int8", Palette.Int8)]
    [InlineData("quint8, per channel", Palette.Int8)]
    [InlineData("DynamicQuantizedLinear", Palette.Int8)]
    [InlineData("float16", Palette.Float16)]
    [InlineData("half", Palette.Float16)]
    [InlineData("fake-quant int8", Palette.FakeQuant)]
    [InlineData("train", null)]
    public void A_name_that_names_a_data_type_gets_its_colour(string name, string? color) => Assert.Equal(color, Palette.ForName(name));

    [Fact]
    public void Series_of_one_chart_differ_in_colour()
    {
        var colors = Palette.Assign([("int8", null), ("int8 per channel", null), ("float", null), ("other", "#123456"), ("train", null)]);
        Assert.Equal(5, colors.Distinct().Count());
        Assert.Equal([Palette.Int8, Palette.Float, "#123456"], [colors[0], colors[2], colors[3]]);
        // The second int8 is not blue: blue is float.
        Assert.Equal(Palette.Neutral, Palette.Assign([("int8", null), ("int8 per channel", null)])[1]);
        Assert.DoesNotContain(Palette.Int8, Palette.Assign([("train", null), ("valid", null)]));
        Assert.Equal(20, Palette.Assign([.. Enumerable.Range(0, 20).Select(i => ($"s{i}", (string?)null))]).Length);
    }

    private static double[] Seen(string color, double[,] sight)
    {
        var light = Contrast.Linear(color);
        return [.. Enumerable.Range(0, 3).Select(row => Math.Clamp(Enumerable.Range(0, 3).Sum(column => sight[row, column] * light[column]), 0, 1))];
    }

    // Distance in Oklab (Ottosson 2020); 0.02 is just noticeable.
    private static double Distance(double[] a, double[] b)
    {
        var (first, second) = (Oklab(a), Oklab(b));
        return Math.Sqrt(first.Zip(second).Sum(pair => (pair.First - pair.Second) * (pair.First - pair.Second)));
    }

    private static double[] Oklab(double[] c)
    {
        double l = Math.Cbrt(0.4122214708 * c[0] + 0.5363325363 * c[1] + 0.0514459929 * c[2]), m = Math.Cbrt(0.2119034982 * c[0] + 0.6806995451 * c[1] + 0.1073969566 * c[2]),
            s = Math.Cbrt(0.0883024619 * c[0] + 0.2817188376 * c[1] + 0.6299787005 * c[2]);
        return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
    }
}
