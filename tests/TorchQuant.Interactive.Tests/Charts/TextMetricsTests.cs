using FsCheck.Xunit;
using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class TextMetricsTests
{
    [Theory]
    [InlineData("one two three", 60, "one two|three")]
    [InlineData("ISA avx-vnni here", 90, "ISA avx-vnni|here")]
    [InlineData("model.encoder.weight", 60, "model.|encoder.|weight")]
    [InlineData("", 50, "")]
    public void Lines_break_at_spaces_and_within_words_only_when_they_must(string text, double width, string lines) =>
        Assert.Equal(lines.Split('|', StringSplitOptions.RemoveEmptyEntries), TextMetrics.Wrap(text, 12, width, 5));

    [Property]
    public void Wrapped_lines_fit_and_are_no_more_than_asked(string text, byte width, byte most)
    {
        var lines = TextMetrics.Wrap(text ?? "", 10, 15 + width, 1 + most % 5);
        Assert.InRange(lines.Count, 0, 1 + most % 5);
        Assert.All(lines, line => Assert.True(TextMetrics.Width(line, 10) <= 15 + width, $"'{line}' is {TextMetrics.Width(line, 10)} wide, not {15 + width}"));
    }

    [Property]
    public void Shortened_texts_fit_and_texts_that_fit_stay(string text, byte width)
    {
        text ??= "";
        foreach (var shortened in new[] { TextMetrics.Shorten(text, 10, 15 + width), TextMetrics.ShortenMiddle(text, 10, 15 + width) })
        {
            Assert.True(TextMetrics.Width(shortened, 10) <= 15 + width);
            if (TextMetrics.Width(text, 10) <= 15 + width) Assert.Equal(text, shortened);
        }
    }

    [Fact]
    public void A_path_shortened_in_its_middle_keeps_both_ends() => Assert.Matches("^mod.*….*weight$", TextMetrics.ShortenMiddle("model.encoder.layers.11.attention.weight", 12, 150));

    [Fact]
    public void Wide_and_combining_characters_are_counted_as_terminals_do()
    {
        Assert.Equal(6, TextMetrics.Columns("가나다"));
        Assert.Equal(1, TextMetrics.Columns("e\u0301"));
        Assert.Equal(2, TextMetrics.Columns("😀"));
    }
}
