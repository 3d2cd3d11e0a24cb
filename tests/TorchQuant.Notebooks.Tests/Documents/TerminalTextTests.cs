using FsCheck.Xunit;
using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Tests.Documents;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("10 %\r100 %\rok\n", "ok0 %\n")]
    [InlineData("a\r\nb\r\n", "a\nb\n")]
    [InlineData("bar\r", "bar")]
    [InlineData("plain\ntext", "plain\ntext")]
    public void A_carriage_return_covers_what_stands_in_the_line(string text, string settled) => Assert.Equal(settled, TerminalText.Settle(text));

    [Property]
    public void Settled_text_has_no_carriage_return_and_stays_settled(string text)
    {
        var settled = TerminalText.Settle(text ?? "");
        Assert.DoesNotContain("\r", settled, StringComparison.Ordinal);
        Assert.Equal(settled, TerminalText.Settle(settled));
    }

    [Fact]
    public void Colours_are_taken_out() => Assert.Equal("red", TerminalText.WithoutEscapes("\e[1;31mred\e[0m"));
}
