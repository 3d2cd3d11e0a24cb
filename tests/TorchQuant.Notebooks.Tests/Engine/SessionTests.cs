using System.Globalization;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Engine;

[Collection(ProcessState.Name)]
public sealed class SessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Collected _shown = new();
    private readonly NotebookSession _session;
    private int _cells;

    public SessionTests() => _session = new NotebookSession(_folder.Path, _shown);

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    private Task<CellResult> RunAsync(string code) => _session.RunAsync(++_cells, code, CellLanguage.CSharp, TestContext.Current.CancellationToken);

    private async Task<string> ValueAsync(string code)
    {
        var result = await RunAsync(code);
        Assert.Null(result.Error);
        return _shown.Shown[^1].Plain!;
    }

    [Fact]
    public async Task Variables_methods_types_and_usings_of_a_cell_reach_later_cells()
    {
        await RunAsync("using System.Globalization;\nint a = 40; record Point(int X, int Y); int Twice(int x) => 2 * x;");
        Assert.Equal("42", await ValueAsync("new Point(a, Twice(1)) is var p ? (p.X + p.Y).ToString(CultureInfo.InvariantCulture) : \"\""));
    }

    [Fact]
    public async Task Cells_can_await_and_code_goes_on_in_order()
    {
        await RunAsync("var order = new List<int>(); order.Add(1); await Task.Delay(20); order.Add(2);");
        Assert.Equal("1,2", await ValueAsync("string.Join(\",\", order)"));
    }

    [Fact]
    public async Task Every_cell_starts_on_the_same_thread()
    {
        var first = await ValueAsync("Environment.CurrentManagedThreadId");
        await RunAsync("await Task.Delay(20);");
        Assert.Equal(first, await ValueAsync("Environment.CurrentManagedThreadId"));
    }

    [Fact]
    public async Task Waiting_for_a_task_in_a_cell_does_not_lock_itself_out()
    {
        Assert.Equal("7", await ValueAsync("async Task<int> Later() { await Task.Delay(20); return 7; }\nLater().Result"));
    }

    [Theory]
    [InlineData("1 + 1", "2")]
    [InlineData("(string)null", "<null>")]
    [InlineData("\"<b>\"", "<b>")]
    public async Task The_last_expression_is_shown(string code, string text)
    {
        Assert.Equal(text, await ValueAsync(code));
        Assert.True(_shown.IsResult[^1]);
    }

    [Theory]
    [InlineData("int.Parse(\"1\");")]
    [InlineData("Console.WriteLine()")]
    [InlineData("var x = 1;")]
    [InlineData("// nothing")]
    public async Task A_statement_and_a_call_without_value_show_nothing(string code)
    {
        Assert.Null((await RunAsync(code)).Error);
        Assert.Empty(_shown.Shown);
    }

    [Fact]
    public async Task A_displayed_value_is_updated_in_its_place_also_from_a_later_cell()
    {
        await RunAsync("var shown = display(\"start\"); display(\"other\"); shown.Update(\"half\");");
        await RunAsync("shown.Update(\"end\");");
        Assert.Equal(["end", "other"], _shown.Shown.Select(bundle => bundle.Plain));
        Assert.Equal(2, _shown.Updates);
    }

    [Fact]
    public async Task Display_with_a_mime_type_gives_that_form_alone()
    {
        await RunAsync("display(new[] { 1, 2 }, \"text/plain\"); \"<svg/>\".DisplayAs(\"image/svg+xml\");");
        Assert.Equal(["text/plain"], _shown.Shown[0].Forms.Select(form => form.Key));
        Assert.Equal([new("image/svg+xml", "<svg/>")], _shown.Shown[1].Forms);
    }

    [Fact]
    public async Task Html_is_markup_in_the_page_and_words_in_the_terminal()
    {
        await RunAsync("display(HTML(\"<p>a &amp; <b>b</b></p><style>p{}</style><p>c</p>\"));");
        Assert.Contains("<b>b</b>", _shown.Shown[0].Form("text/html"), StringComparison.Ordinal);
        Assert.Equal("a & b\nc", _shown.Shown[0].Plain);
    }

    [Fact]
    public async Task Formatters_registered_in_a_cell_are_used()
    {
        await RunAsync("Formatter.Register<Version>((v, w) => w.Write($\"<i>v{v}</i>\"), \"text/html\");\nnew Version(1, 2)");
        Assert.Equal("<i>v1.2</i>", _shown.Shown[0].Form("text/html"));
    }

    [Fact]
    public async Task A_convention_formatter_offers_all_its_forms_richest_first()
    {
        await RunAsync("""
            [AttributeUsage(AttributeTargets.Class)]
            class TypeFormatterSourceAttribute : Attribute
            {
                public TypeFormatterSourceAttribute(Type source) => FormatterSourceType = source;
                public Type FormatterSourceType { get; }
            }
            class Source { public IEnumerable<object> CreateTypeFormatters() => new object[] { new Form("text/plain", "T"), new Form("image/svg+xml", "<svg/>"), new Form("text/html", "<b>H</b>") }; }
            class Form
            {
                private readonly string _text;
                public Form(string mime, string text) { MimeType = mime; _text = text; }
                public string MimeType { get; }
                public bool Format(object instance, System.IO.TextWriter writer) { writer.Write(_text); return true; }
            }
            [TypeFormatterSource(typeof(Source))] class Chart { }
            new Chart()
            """);
        Assert.Equal([new("text/html", "<b>H</b>"), new("image/svg+xml", "<svg/>"), new("text/plain", "T")], _shown.Shown[0].Forms);
    }

    [Fact]
    public async Task Console_output_and_errors_are_captured_apart()
    {
        await RunAsync("Console.Write('a'); Console.WriteLine(\"b\"); Console.WriteLine(3); Console.Error.WriteLine(\"bad\"); Task.Run(() => Console.Write(\"thread\")).Wait();");
        Assert.Equal("ab\n3\nthread", _shown.Out.ToString());
        Assert.Equal("bad\n", _shown.Error.ToString());
    }

    [Fact]
    public async Task Reading_from_the_console_finds_its_end() => Assert.Equal("True", await ValueAsync("Console.ReadLine() is null"));

    [Fact]
    public async Task Markdown_segments_are_shown_and_code_after_them_keeps_its_line_numbers()
    {
        var result = await RunAsync("int a = 1;\n#!markdown\n# Heading\n#!csharp\n\nint b = missing;");
        Assert.Equal("# Heading", _shown.Shown[0].Form("text/markdown"));
        Assert.Equal(6, result.Error!.Line);
    }

    [Theory]
    [InlineData("#!share x", 1, "share")]
    [InlineData("var a = 1;\n#!cobol\nlet b = 2", 2, "cobol")]
    [InlineData("\n#r \"nuget: bad id!\"", 2, "nuget: Id")]
    [InlineData("#i \"somewhere\"", 1, "#i")]
    [InlineData("\n\n#r \"missing.dll\"", 3, "missing.dll")]
    public async Task What_the_host_does_not_know_is_refused_with_its_line(string code, int? line, string named)
    {
        var error = (await RunAsync(code)).Error!;
        Assert.Equal(line, error.Line);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cell_that_does_not_compile_changes_nothing()
    {
        await RunAsync("int a = 1;");
        var error = (await RunAsync("a = 2;\nvar b = nothing;")).Error!;
        Assert.Equal(("CS0103", 2, "var b = nothing;"), (error.Name, error.Line, error.Code));
        Assert.Contains("cell 2, line 2", error.Traceback[0], StringComparison.Ordinal);
        Assert.Equal(["    var b = nothing;", "            ^"], error.Traceback.Skip(1));
        Assert.Equal("1", await ValueAsync("a"));
    }

    [Fact]
    public async Task A_cell_that_throws_names_its_line_and_keeps_what_it_did_until_then()
    {
        await RunAsync("int Divide(int x)\n{\n    return 1 / x;\n}");
        var error = (await RunAsync("var kept = 5;\n\nDivide(0);\nkept = 6;")).Error!;
        Assert.Equal(("DivideByZeroException", 3, "Divide(0);"), (error.Name, error.Line, error.Code));
        Assert.Equal(["cell 1, line 3: return 1 / x;", "cell 2, line 3: Divide(0);"], error.Traceback);
        Assert.Equal("5", await ValueAsync("kept"));
    }

    [Fact]
    public async Task An_exception_after_an_await_and_one_in_a_task_have_their_line_too()
    {
        Assert.Equal(2, (await RunAsync("await Task.Delay(10);\nthrow new InvalidOperationException(\"a\");")).Error!.Line);
        var error = (await RunAsync("\n\nTask.Run(() => { throw new ArgumentException(\"b\"); }).Wait();")).Error!;
        Assert.Equal(("ArgumentException", "b", 3), (error.Name, error.Message, error.Line));
    }

    [Fact]
    public async Task An_exception_names_its_causes()
    {
        var error = (await RunAsync("throw new InvalidOperationException(\"outer\", new ArgumentException(\"inner\"));")).Error!;
        Assert.Equal("outer", error.Message);
        Assert.Contains("caused by ArgumentException: inner", error.Traceback);
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("Task.Delay(-1).Wait();")]
    [InlineData("System.Threading.Thread.Sleep(-1);")]
    [InlineData("await Task.Delay(1); while (true) { }")]
    [InlineData("int Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2);\nFib(60)")]
    [InlineData("while (true) { try { throw new Exception(); } catch (Exception) { } }")]
    [InlineData("while (true) { try { while (true) { } } catch (Exception) { } }")]
    [InlineData("async Task Turn() { while (true) { await Task.Yield(); } }\nawait Turn();")]
    [InlineData("class Endless { public override string ToString() { while (true) { } } }\nFormatter.Register<Endless>((e, w) => w.Write(e.ToString()), \"text/plain\");\nnew Endless()")]
    public async Task An_interrupt_stops_a_cell_and_keeps_what_it_did_until_then(string code)
    {
        await RunAsync("var started = new System.Threading.ManualResetEvent(false); int after = 0;");
        var started = (ManualResetEvent)_session.Variables.Single(variable => variable.Name == "started").Value!;
        var running = RunAsync("int kept = 5;\nstarted.Set();\n" + code);
        Assert.True(started.WaitOne(TimeSpan.FromMinutes(1)));
        _session.Interrupt();
        Assert.Equal(CellStatus.Stopped, (await running.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken)).Status);
        await RunAsync("System.Threading.Thread.Sleep(30); after = kept + 1;"); // a waking that was left over would end this
        Assert.Equal("6", await ValueAsync("after"));
    }

    [Fact]
    public async Task A_cell_that_cannot_be_interrupted_is_left_when_the_run_is_stopped()
    {
        using var stop = new CancellationTokenSource();
        await RunAsync("var inside = new System.Threading.ManualResetEvent(false);");
        var inside = (ManualResetEvent)_session.Variables.Single(variable => variable.Name == "inside").Value!;
        var running = _session.RunAsync(++_cells, "using System.IO.Pipes;\nvar pipe = new AnonymousPipeServerStream(PipeDirection.In); inside.Set(); pipe.ReadByte();", CellLanguage.CSharp, stop.Token);
        Assert.True(inside.WaitOne(TimeSpan.FromMinutes(1)));
        await stop.CancelAsync();
        Assert.Equal(CellStatus.Stopped, (await running.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken)).Status);
    }

    [Fact]
    public async Task Hundreds_of_cells_leave_memory_flat()
    {
        async Task<long> After(int cells)
        {
            for (var i = 0; i < cells; i += 2)
            {
                Assert.Null((await RunAsync($"{i} + 1")).Error);
                Assert.Null((await RunAsync($"int number = {i};")).Error);
            }
            return GC.GetTotalMemory(forceFullCollection: true);
        }
        var before = await After(50);
        Assert.InRange(await After(300) - before, long.MinValue, 40_000_000); // a cell takes its compiled code; 0.5 GB when the compiler kept all references for each
    }

    [Fact]
    public async Task A_cell_with_usings_alone_counts_for_later_cells()
    {
        Assert.Null((await RunAsync("using System.Globalization;")).Error);
        Assert.Null((await RunAsync("// nothing")).Error);
        Assert.Equal("1", await ValueAsync("1.ToString(CultureInfo.InvariantCulture)"));
    }

    [Fact]
    public async Task Hot_loops_are_compiled_with_optimisation()
    {
        Assert.Equal("False", await ValueAsync("System.Reflection.Assembly.GetExecutingAssembly().GetCustomAttributes(typeof(System.Diagnostics.DebuggableAttribute), false).Cast<System.Diagnostics.DebuggableAttribute>().Any(d => d.IsJITOptimizerDisabled)"));
    }

    [Fact]
    public async Task A_reference_to_what_the_host_uses_too_leaves_display_as_it_was()
    {
        Assert.Null((await RunAsync("display(1);")).Error);
        Assert.Equal("<p>a</p>\n", await ValueAsync($"#r \"{Path.Combine(AppContext.BaseDirectory, "Markdig.dll")}\"\nMarkdig.Markdown.ToHtml(\"a\")"));
        Assert.Null((await RunAsync("DisplayedValue shown = display(2);\nshown.Update(3);")).Error);
        Assert.Equal("3", _shown.Shown[^1].Plain);
    }

    [Fact]
    public async Task Load_and_relative_references_start_from_the_notebooks_folder()
    {
        _folder.Write("more.csx", "int loaded = 11;");
        Assert.Equal(11.ToString(CultureInfo.InvariantCulture), await ValueAsync("#load \"more.csx\"\nloaded"));
    }
}
