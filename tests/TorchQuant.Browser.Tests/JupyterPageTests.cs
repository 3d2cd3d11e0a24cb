using System.Text.Json;

namespace TorchQuant.Browser.Tests;

/// <summary>What a person does in Jupyter's web page, with the keys and buttons of a person.</summary>
public sealed class JupyterPageTests(Chromium chromium, JupyterServer jupyter) : IClassFixture<JupyterServer>
{
    private const float Patience = 180_000; // ms; the first cell of a loaded machine

    [Fact]
    public async Task A_cell_runs_a_name_is_completed_and_a_loop_is_interrupted()
    {
        var page = await OpenAsync("cells", "torchquant-csharp", "var answer = 20 + 22;\nanswer", "Console.Wri", "answer = 43;\nConsole.WriteLine(\"begun\");\nwhile (true) { }", "answer > 42");
        await RunAsync(page, 0);
        await Assertions.Expect(Output(page, 0)).ToContainTextAsync("42", new() { Timeout = Patience });

        await EditAsync(page, 1);
        await page.Keyboard.PressAsync("End");
        await page.Keyboard.PressAsync("Tab");
        var choices = page.Locator("#complete option");
        await Assertions.Expect(choices.Filter(new() { HasTextString = "WriteLine" })).ToHaveCountAsync(1, new() { Timeout = Patience });
        // Keys typed into the list are lost while it asks the kernel again: close it and go on in the cell.
        await page.Keyboard.PressAsync("Escape");
        await EditAsync(page, 1);
        await page.Keyboard.PressAsync("End");
        await page.Keyboard.TypeAsync("teLine");
        await page.Keyboard.TypeAsync("(answer + \"!\")");
        await RunAsync(page, 1);
        await Assertions.Expect(Output(page, 1)).ToContainTextAsync("42!", new() { Timeout = Patience });

        await RunAsync(page, 2);
        await Assertions.Expect(Output(page, 2)).ToContainTextAsync("begun", new() { Timeout = Patience });
        await Assertions.Expect(page.Locator(".cell").Nth(2).Locator(".input_prompt")).ToContainTextAsync("[*]");
        await page.Locator("button[data-jupyter-action='jupyter-notebook:interrupt-kernel']").ClickAsync();
        await Assertions.Expect(Output(page, 2)).ToContainTextAsync("nterrupt", new() { Timeout = Patience });
        await RunAsync(page, 3);
        await Assertions.Expect(Output(page, 3)).ToContainTextAsync("True", new() { Timeout = Patience });
    }

    [Fact]
    public async Task Getting_started_runs_to_its_end_and_shows_its_charts()
    {
        File.Copy(Path.Combine(Chromium.Root, "notebooks", "getting-started.ipynb"), Path.Combine(jupyter.Folder, "getting-started.ipynb"), overwrite: true);
        var page = await VisitAsync("getting-started", "torchquant-csharp");
        await page.EvaluateAsync("() => { Jupyter.notebook.clear_all_output(); Jupyter.notebook.execute_all_cells(); }");
        var last = await page.EvaluateAsync<int>("() => Jupyter.notebook.get_cells().map(c => c.cell_type).lastIndexOf('code')");
        await Assertions.Expect(page.Locator(".cell").Nth(last).Locator(".output_wrapper")).ToContainTextAsync("the same bits", new() { Timeout = Patience });
        Assert.Equal(0, await page.Locator(".output_error").CountAsync());
        var charts = page.Locator(".output_area svg[role=img]");
        Assert.Equal(2, await charts.CountAsync());
        foreach (var chart in await charts.AllAsync()) Assert.True(await chart.IsVisibleAsync());
        await page.ScreenshotAsync(new() { Path = Path.Combine(Chromium.Screenshots, "jupyter-getting-started.png"), FullPage = true });
    }

    [Fact]
    public async Task An_fsharp_cell_runs()
    {
        var page = await OpenAsync("fsharp", "torchquant-fsharp", "let square x = x * x\n[ 1..3 ] |> List.sumBy square");
        await RunAsync(page, 0);
        await Assertions.Expect(Output(page, 0)).ToContainTextAsync("14", new() { Timeout = Patience });
    }

    private async Task<IPage> OpenAsync(string name, string kernel, params string[] cells)
    {
        var notebook = new
        {
            cells = cells.Select((code, i) => new { cell_type = "code", id = $"cell-{i}", metadata = new { }, execution_count = (int?)null, outputs = Array.Empty<object>(), source = code }),
            metadata = new { kernelspec = new { name = kernel, display_name = kernel } },
            nbformat = 4,
            nbformat_minor = 5,
        };
        await File.WriteAllTextAsync(Path.Combine(jupyter.Folder, name + ".ipynb"), JsonSerializer.Serialize(notebook));
        return await VisitAsync(name, kernel);
    }

    private async Task<IPage> VisitAsync(string name, string kernel)
    {
        var page = await chromium.Browser.NewPageAsync();
        await page.GotoAsync($"{jupyter.Address}/notebooks/{name}.ipynb?kernel_name={kernel}");
        await page.WaitForFunctionAsync("() => window.Jupyter?.notebook?.kernel?.is_connected() && document.querySelector('.kernel_idle_icon')", null, new() { Timeout = Patience });
        return page;
    }

    private static ILocator Output(IPage page, int cell) => page.Locator(".cell").Nth(cell).Locator(".output_wrapper");

    private static Task EditAsync(IPage page, int cell) => page.Locator(".cell").Nth(cell).Locator(".CodeMirror").ClickAsync();

    private static async Task RunAsync(IPage page, int cell)
    {
        await EditAsync(page, cell);
        await page.Keyboard.PressAsync("Control+Enter");
    }
}
