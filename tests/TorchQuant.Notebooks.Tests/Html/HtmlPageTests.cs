using System.Net;
using System.Text.RegularExpressions;
using FsCheck.Xunit;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Html;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Html;

public sealed partial class HtmlPageTests
{
    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("""\b(?:src|srcset|data|poster|action)\s*=\s*(?!["']?data:)|<(?:link|script|iframe|object|embed)\b|@import|url\(""")]
    private static partial Regex Loads();

    private static string Page(NotebookDocument document, string folder = "/nowhere") => HtmlPage.Render(document, "test", folder);

    [Property]
    public void Highlighted_code_is_the_code(string code)
    {
        // A line break that HTML readers would change is not what is tested here.
        var text = (code ?? "").Replace("\r", "", StringComparison.Ordinal).Replace("\0", "", StringComparison.Ordinal);
        Assert.Equal(text, WebUtility.HtmlDecode(Tags().Replace(CodeHighlighter.ToHtml(text), "")));
    }

    [Property]
    public void Highlighted_fsharp_is_the_code(string code)
    {
        var text = (code ?? "").Replace("\r", "", StringComparison.Ordinal).Replace("\0", "", StringComparison.Ordinal);
        Assert.Equal(text, WebUtility.HtmlDecode(Tags().Replace(FSharpHighlighter.ToHtml(text), "")));
    }

    [Fact]
    public void Each_part_of_a_cell_is_marked_as_its_language_has_it()
    {
        var page = Page(NotebookDocument.Parse(NotebookJson.Of("string let = \"let\";\n#!fsharp\nlet string = 1 // one\n(* two\nlines *)\n#!time\n#!csharp\nvar x = 1;"), "test"));
        Assert.Contains("<span class=\"k\">string</span> let =", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"d\">#!fsharp</span>\n<span class=\"k\">let</span> string = <span class=\"n\">1</span>", page, StringComparison.Ordinal);
        Assert.Contains("lines", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"d\">#!csharp</span>\n<span class=\"k\">var</span>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_of_code_are_marked()
    {
        var html = CodeHighlighter.ToHtml("#r \"nuget: A\"\nvar s = $\"a{1}\"; // why <b>");
        Assert.Contains("<span class=\"d\">#r &quot;nuget: A&quot;", html, StringComparison.Ordinal);
        Assert.Contains("<span class=\"k\">var</span>", html, StringComparison.Ordinal);
        Assert.Contains("<span class=\"n\">1</span>", html, StringComparison.Ordinal);
        Assert.Contains("<span class=\"c\">// why &lt;b&gt;</span>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_loads_nothing_from_anywhere()
    {
        using var folder = new TemporaryFolder();
        folder.Write("picture.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
        var document = NotebookDocument.Parse(NotebookJson.Of("md:![here](picture.svg) ![away](https://example.org/a.png) ![gone](gone.png) [link](https://example.org)", "1"), "test");
        var page = Page(document, folder.Path);
        Assert.Contains("src=\"data:image/svg+xml;base64,", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"https://example.org/a.png\">away</a>", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(Loads(), page);
    }

    [Fact]
    public void Outputs_are_shown_in_their_richest_form_and_text_is_encoded()
    {
        var document = NotebookDocument.Parse(NotebookJson.Of("1"), "test");
        var recorder = new OutputRecorder();
        recorder.Begin(document.Cells[0]);
        recorder.Write(OutputStream.Out, "<script>alert(1)</script>\e[31mred\e[0m");
        recorder.Display(new MimeBundle([new("text/html", "<b id='rich'>x</b>"), new("image/svg+xml", "<svg id='no'/>"), new("text/plain", "no")]), "a");
        recorder.Display(new MimeBundle([new("image/svg+xml", "<svg id='drawing'/>"), new("text/plain", "no")]), "b");
        recorder.Display(new MimeBundle([new("image/png", "AAAA"), new("text/plain", "no")]), "c");
        recorder.Display(MimeBundle.OfMarkdown("**strong**"), "d");
        recorder.Display(MimeBundle.OfText("a < b"), "e");
        recorder.Fail(new CellError("CS1", "no <T>", 2, "x", ["cell 1, line 2: List<T>"]));
        recorder.Save();
        var page = Page(document);
        foreach (var part in new[]
        {
            "&lt;script&gt;alert(1)&lt;/script&gt;red", "<b id='rich'>x</b>", "<svg id='drawing'/>", "src=\"data:image/png;base64,AAAA\"", "<strong>strong</strong>",
            "<pre>a &lt; b</pre>", "no &lt;T&gt;", "cell 1, line 2: List&lt;T&gt;", "class=\"cell failed\"",
        })
            Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.DoesNotContain("id='no'", page, StringComparison.Ordinal);
        Assert.DoesNotContain("CS1: no", page, StringComparison.Ordinal); // the message is said once
    }

    [Fact]
    public void Headings_make_the_title_and_contents_with_addresses_that_exist_once()
    {
        var page = Page(NotebookDocument.Parse(NotebookJson.Of("md:# A *title*\n## Same", "1", "md:## Same\n## 요약"), "test"));
        Assert.Contains("<title>A title</title>", page, StringComparison.Ordinal);
        foreach (var id in new[] { "a-title", "same", "same-2", "요약" })
        {
            var encoded = WebUtility.HtmlEncode(id);
            Assert.Single(Regex.Matches(page, $"<h[12] id=\"({Regex.Escape(id)}|{Regex.Escape(encoded)})\""));
            Assert.Single(Regex.Matches(page, $"href=\"#({Regex.Escape(id)}|{Regex.Escape(encoded)})\""));
        }
    }

    [Fact]
    public void Cells_show_their_number_time_and_hidden_input()
    {
        var document = NotebookDocument.Parse(NotebookJson.Of("a", "b").Replace("\"id\":\"cell-1\",\"metadata\":{", "\"id\":\"cell-1\",\"metadata\":{\"tags\":[\"hide-input\"]", StringComparison.Ordinal), "test");
        document.Cells[0].ExecutionCount = 7;
        document.Cells[0].SetTimes(DateTimeOffset.UnixEpoch, TimeSpan.FromSeconds(75));
        var page = Page(document);
        Assert.Contains("[7]</span><span class=\"time\">1 min 15 s</span>", page, StringComparison.Ordinal);
        Assert.Equal(1, Regex.Count(page, "<details class=\"code\" open>"));
        Assert.Equal(1, Regex.Count(page, "<details class=\"code\">"));
    }

    [Theory]
    [InlineData(@"q = x/s + z_0", "q = x/s + z<sub>0</sub>")]
    [InlineData(@"2^{b-1} \le \sigma", "2<sup>b-1</sup> ≤ σ")]
    [InlineData(@"\frac{a}{b} < \text{clip}", "(a)/(b) &lt; <span class=\"up\">clip</span>")]
    [InlineData(@"\unknown{x}", @"\unknown{x}")]
    public void Simple_formulas_are_set_without_a_script(string tex, string html) => Assert.Equal(html, MathHtml.Of(tex));
}
