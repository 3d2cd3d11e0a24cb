using System.Diagnostics;
using AngleSharp.Html.Parser;
using TorchQuant.Interactive.Tests.Charts;
using Xunit;

namespace TorchQuant.Interactive.Tests.Figures;

/// <summary>What a real browser makes of a page, without any network.</summary>
public class BrowserTests
{
    private static readonly string[] Browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    [Fact]
    public void Every_chart_of_a_page_is_drawn_without_a_network_and_without_an_error()
    {
        var browser = Browsers.FirstOrDefault(File.Exists);
        Assert.SkipUnless(browser is not null, $"No browser: none of {string.Join(", ", Browsers)} is installed.");
        var folder = Directory.CreateTempSubdirectory("torchquant-page-");
        try
        {
            var file = Path.Combine(folder.FullName, "page.html");
            // The library stands at the end of the page: the charts before it wait for it.
            File.WriteAllText(file, InteractivePage.Html("Charts", [.. Samples.Tutorial, Chart.Lines(Samples.Evil, [new LineSeries(Samples.Evil, [1, 2])], Samples.Evil)]));
            var (dom, log) = Run(browser, folder.FullName, file);
            var page = new HtmlParser().ParseDocument(dom);
            Assert.Equal(Samples.Tutorial.Count + 1, page.QuerySelectorAll("figure[data-tq-plotly]").Length);
            Assert.All(page.QuerySelectorAll("figure[data-tq-plotly]"), figure =>
            {
                Assert.NotNull(figure.QuerySelector(".js-plotly-plot .main-svg"));
                Assert.Contains("display: none", figure.QuerySelector(".tq-static")!.GetAttribute("style"), StringComparison.Ordinal);
            });
            Assert.DoesNotContain("CONSOLE", log, StringComparison.Ordinal);
            // The name is text in the drawing.
            Assert.Contains(page.QuerySelectorAll("figure[data-tq-plotly]")[^1].QuerySelectorAll("text"), text => text.TextContent.Contains("<script>", StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (string Dom, string Log) Run(string browser, string folder, string file)
    {
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND", $"--user-data-dir={Path.Combine(folder, "profile")}", "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom",
            new Uri(file).AbsoluteUri,
        ];
        using var process = Process.Start(new ProcessStartInfo(browser, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var log = process.StandardError.ReadToEndAsync();
        var dom = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (dom, log.Result);
    }
}
