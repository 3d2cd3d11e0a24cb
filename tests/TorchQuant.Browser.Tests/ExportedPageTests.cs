using System.Text.Json;
using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Documents;

[assembly: AssemblyFixture(typeof(TorchQuant.Browser.Tests.Chromium))]

namespace TorchQuant.Browser.Tests;

/// <summary>
/// The pages that <c>run</c> and <c>export</c> write, opened without a network: in TORCHQUANT_PAGES, a folder with a folder for each notebook as <c>--out</c> makes it; default: out.
/// Screenshots of all of them, light and dark, are left in out/browser.
/// </summary>
public sealed class ExportedPageTests(Chromium chromium)
{
    private static string Folder { get; } = Environment.GetEnvironmentVariable("TORCHQUANT_PAGES") is { Length: > 0 } set ? set : Path.Combine(Chromium.Root, "out");

    public static TheoryData<string> Pages =>
        [.. Directory.EnumerateDirectories(Folder).Select(folder => Path.GetFileName(folder)!).Where(name => File.Exists(Page(name)) && File.Exists(Notebook(name))).Order(StringComparer.Ordinal)];

    private static string Page(string name) => Path.Combine(Folder, name, name + ".html");

    private static string Notebook(string name) => Path.Combine(Folder, name, name + ".ipynb");

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_draws_every_chart_of_its_notebook_without_a_network(string name)
    {
        var faults = new List<string>();
        await using var context = await chromium.Browser.NewContextAsync(new() { Offline = true, ViewportSize = new() { Width = 1280, Height = 900 } });
        var page = await OpenAsync(context, name, faults);

        var outputs = NotebookDocument.Load(Notebook(name)).Cells.Where(cell => cell.IsCode).SelectMany(cell => cell.Outputs);
        var charts = outputs.Select(output => output!["data"]?["text/html"] ?? output["data"]?["image/svg+xml"]).Sum(form => form is null ? 0 : Regex.Count(MultilineText.Read(form), "<svg [^>]*role=\"img\""));
        var drawn = await page.EvaluateAsync<int>("""
            () => [...document.querySelectorAll('main .cell svg[role=img]')].filter(drawing => {
                const box = drawing.getBoundingClientRect();
                return box.width > 100 && box.height > 60 && drawing.querySelectorAll('text').length > 0 && drawing.querySelectorAll('path, rect, circle, line, polyline, image').length > 2;
            }).length
            """);
        Assert.Equal(charts, drawn);
        Assert.Empty(faults);
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")); // wide tables scroll by themselves
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_is_legible_in_light_and_in_dark(string name)
    {
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await using var context = await chromium.Browser.NewContextAsync(new() { Offline = true, ColorScheme = scheme, ViewportSize = new() { Width = 1280, Height = 900 } });
            var page = await OpenAsync(context, name, []);
            // The least contrast of a text against what lies under it: the page, or a bar, or a cell of a matrix (WCAG 2.2, 1.4.3: 4.5, large text 3).
            var least = await page.EvaluateAsync<JsonElement>("""
                () => {
                    const numbers = c => { const m = c.match(/[\d.]+/g).map(Number); return c.startsWith('color(') ? [...m.slice(-3 - (m.length > 4)).slice(0, 3).map(v => v * 255), m[4] ?? 1] : [m[0], m[1], m[2], m[3] ?? 1]; };
                    const light = ([r, g, b]) => { [r, g, b] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
                    const over = ([r, g, b, a], ground) => [r, g, b].map((v, i) => v * a + ground[i] * (1 - a));
                    const page = numbers(getComputedStyle(document.body).backgroundColor);
                    let least = { contrast: 21, text: '' };
                    for (const text of document.querySelectorAll('main p, main h2, main td, main svg[role=img] text')) {
                        if (!text.textContent.trim()) continue;
                        const style = getComputedStyle(text);
                        let ground = page, own = style.color;
                        if (text.closest('svg')) {
                            own = style.fill;
                            text.scrollIntoView({ block: 'center', behavior: 'instant' });
                            const box = text.getBoundingClientRect();
                            const shape = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)
                                .find(e => ['rect', 'path', 'circle', 'polygon'].includes(e.tagName) && getComputedStyle(e).fill.match(/^(rgb|color)/));
                            if (shape) {
                                const under = getComputedStyle(shape), fill = numbers(under.fill);
                                ground = over([fill[0], fill[1], fill[2], fill[3] * Number(under.fillOpacity) * Number(under.opacity)], page);
                            }
                        }
                        const [a, b] = [light(over(numbers(own), ground)), light(ground)].sort((x, y) => y - x);
                        const contrast = (a + 0.05) / (b + 0.05);
                        if (contrast < least.contrast) least = { contrast, text: text.textContent.trim().slice(0, 40) };
                    }
                    return least;
                }
                """);
            await page.ScreenshotAsync(new() { Path = Path.Combine(Chromium.Screenshots, $"{name}-{scheme.ToString().ToLowerInvariant()}.png"), FullPage = true });
            Assert.True(least.GetProperty("contrast").GetDouble() >= 3, $"{name}, {scheme}: the least contrast is {least}.");
        }
    }

    private static async Task<IPage> OpenAsync(IBrowserContext context, string name, List<string> faults)
    {
        var page = await context.NewPageAsync();
        page.Console += (_, message) => { if (message.Type is "error" or "warning") faults.Add(message.Text); };
        page.PageError += (_, error) => faults.Add(error);
        page.Request += (_, request) => { if (!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal)) faults.Add("asked for " + request.Url); };
        await page.GotoAsync(new Uri(Page(name)).AbsoluteUri);
        return page;
    }
}
