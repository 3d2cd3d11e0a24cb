using System.Xml.Linq;
using TorchQuant.Interactive.Tests.Charts;
using Xunit;

namespace TorchQuant.Interactive.Tests.Tables;

public class TableTests
{
    private static readonly Table Results = new("Results",
        ["model", new Column("size", "MB", "N2", Best.Lowest), new Column("speed-up", "×", "N1", Best.Highest)],
        [["float", 113.94, 1.0], ["int8", 28.6, 4.4], ["total", 142.54, null]])
    { Caption = "one thread", HasTotal = true };

    [Fact]
    public void Text_has_one_line_per_row_with_numbers_to_the_right() => Assert.Equal(
        """
        Results
        model  size (MB)    speed-up (×)
        ─────  ───────────  ──────────────
        float     113.94             1.0
        int8       28.60 *           4.4 *
        ─────  ───────────  ──────────────
        total     142.54
        one thread
        """.ReplaceLineEndings("\n"), Results.ToText());

    [Fact]
    public void Html_emphasizes_the_best_and_sets_the_total_apart()
    {
        var body = Body(Results);
        Assert.Equal(["28.60", "4.4"], body.Descendants("td").Where(td => ((string?)td.Attribute("class"))?.Contains("tq-best", StringComparison.Ordinal) == true).Select(td => td.Value));
        Assert.Equal("total", Assert.Single(body.Descendants("tr"), tr => (string?)tr.Attribute("class") == "tq-total").Element("td")!.Value);
        Assert.Equal("size MB", body.Descendants("th").ElementAt(1).Value);
    }

    [Fact]
    public void Equal_bests_are_both_emphasized_and_a_single_number_is_not()
    {
        var column = new Column("x", Best: Best.Lowest);
        Assert.Equal(2, new Table("", [column], [[1.0], [1.0], [2.0], [double.NaN]]).ToText().Count(c => c == '*'));
        Assert.DoesNotContain("*", new Table("", [column], [[1.0], [null]]).ToText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1234567, "1,234,567")]
    [InlineData(0.123456789, "0.1235")]
    [InlineData(1234.5678, "1,235")]
    [InlineData(1.5e-7, "1.5×10⁻⁷")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "−∞")]
    [InlineData(-2.5f, "−2.5")]
    [InlineData(true, "True")]
    [InlineData("text", "text")]
    [InlineData(null, "")]
    public void Cells_are_written_for_people(object? cell, string text) => Assert.Equal(text, new Column("c").TextOf(cell));

    [Fact]
    public void Markup_in_a_table_stays_text()
    {
        var table = new Table(Samples.Evil, [Samples.Evil, new Column("x", Samples.Evil)], [[Samples.Evil, new Cell(Samples.Evil, "#fff\"><script>", Code: true)]]) { Caption = Samples.Evil };
        Assert.DoesNotContain("<script", table.ToHtml(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Body(table).Descendants(), element => element.Name.LocalName == "script");
    }

    [Fact]
    public void A_row_of_the_wrong_length_is_named() =>
        Assert.Contains("row 1 has 1 cells", Assert.Throws<ArgumentException>(() => new Table("t", ["a", "b"], [[1, 2], [3]])).Message, StringComparison.Ordinal);

    [Fact]
    public void An_empty_table_shows_its_heading() => Assert.Equal("a  b\n─  ─", new Table("", ["a", "b"], []).ToText());

    internal static XElement Body(Visual visual) => XDocument.Parse("<root>" + visual.ToHtml() + "</root>").Root!.Element("div")!;
}
