using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Engine.Editing;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Engine;

/// <summary>F# cells. One session for all, because the compiler takes seconds to start: no test relies on another's cells.</summary>
[Collection(ProcessState.Name)]
public sealed class FSharpTests : IClassFixture<FSharpTests.Session>
{
    private readonly Session _cells;

    public FSharpTests(Session cells)
    {
        _cells = cells;
        cells.Shown = new Collected();
    }

    private Task<CellResult> RunAsync(string code, CellLanguage language = CellLanguage.FSharp) => _cells.RunAsync(code, language);

    private async Task<string> ValueAsync(string code, CellLanguage language = CellLanguage.FSharp)
    {
        var result = await RunAsync(code, language);
        Assert.True(result.Error is null, string.Join('\n', result.Error?.Lines ?? []));
        return _cells.Shown.Shown[^1].Plain!;
    }

    [Fact]
    public async Task Bindings_types_and_functions_of_a_cell_reach_later_cells()
    {
        await RunAsync("type Point = { X: int; Y: int }\nlet twice x = 2 * x\nlet mutable origin = { X = 40; Y = 0 }");
        Assert.Equal("42", await ValueAsync("origin <- { origin with Y = twice 1 }\norigin.X + origin.Y"));
    }

    [Theory]
    [InlineData("()")]
    [InlineData("let x = 1")]
    [InlineData("1 |> ignore")]
    public async Task Unit_and_declarations_show_nothing(string code)
    {
        Assert.Null((await RunAsync(code)).Error);
        Assert.Empty(_cells.Shown.Shown);
    }

    [Fact]
    public async Task Console_and_display_are_those_of_every_cell()
    {
        Assert.Null((await RunAsync("printfn \"hello\"\nlet shown = display 1\nshown.Update 2\ndisplay(HTML \"<b>x</b>\") |> ignore")).Error);
        Assert.Equal("hello\n", _cells.Shown.Out.ToString());
        Assert.Equal(["2", "x"], _cells.Shown.Shown.Select(bundle => bundle.Plain));
    }

    [Theory]
    [InlineData("display(5)")]
    [InlineData("#!csharp\ndisplay(5)")]
    public async Task A_cell_that_ends_in_display_shows_the_value_once(string code)
    {
        Assert.Equal("5", await ValueAsync(code));
        Assert.Single(_cells.Shown.Shown);
    }

    [Fact]
    public async Task Code_that_does_not_compile_names_its_line_and_declares_nothing()
    {
        var error = (await RunAsync("let fine = 1\nlet broken = nowhere")).Error!;
        Assert.Equal(("FS0039", 2, "let broken = nowhere"), (error.Name, error.Line, error.Code));
        Assert.Equal("             ^", error.Traceback[2][4..]);
        Assert.Equal("FS0039", (await RunAsync("fine")).Error!.Name);
    }

    [Fact]
    public async Task A_cell_that_throws_names_the_lines_of_all_cells_that_take_part()
    {
        await RunAsync("let fail () : int =\n    failwith \"broken\"\n\nlet outer () = fail () + 1");
        var error = (await RunAsync("let before = 1\n\nouter ()")).Error!;
        Assert.Equal(("Exception", "broken", 3), (error.Name, error.Message, error.Line));
        Assert.Equal(["line 2: failwith \"broken\"", "line 4: let outer () = fail () + 1", "line 3: outer ()"], error.Traceback.Select(line => line.Split(", ", 2)[^1]));
    }

    [Fact]
    public async Task Lines_keep_their_numbers_in_and_below_loops()
    {
        var error = (await RunAsync("let mutable n = 0\nfor i in 1 .. 3 do\n    n <- n + i\n    if i = 3 then\n        failwith \"third\"")).Error!;
        Assert.Equal(("third", 5, "failwith \"third\""), (error.Message, error.Line, error.Code));
        Assert.Equal(4, (await RunAsync("for i in 1 .. 3 do\n    ignore i\n\nnowhere")).Error!.Line);
        Assert.Equal("6", await ValueAsync("let mutable sum = 0\nfor i in [ for j in 1 .. 3 do j ] do sum <- sum + i\nsum"));
    }

    [Fact]
    public async Task A_recursion_without_end_is_an_error_and_the_session_goes_on()
    {
        await RunAsync("let survivor = 8");
        Assert.Equal("InsufficientExecutionStackException", (await RunAsync("let rec deep x = 1 + deep (x + 1)\ndeep 0")).Error!.Name);
        Assert.Equal("8", await ValueAsync("survivor"));
    }

    [Theory]
    [InlineData("while true do System.Threading.Thread.Sleep 1")]
    [InlineData("System.Threading.Thread.Sleep -1")]
    [InlineData("async { do! Async.Sleep -1 } |> Async.RunSynchronously")]
    [InlineData("while true do ()")]
    [InlineData("let mutable x = 0\nwhile true do\n    x <- x + 1")]
    [InlineData("for i in Seq.initInfinite id do\n    ()")]
    [InlineData("let rec spin (x: int) : unit = spin (x + 1)\nspin 0")]
    [InlineData("while true do\n    try\n        while true do\n            ()\n    with _ -> ()")]
    [InlineData("let numbers = seq {\n    while true do\n        if false then yield 1\n}\nSeq.length numbers")]
    public async Task An_interrupt_stops_a_cell_and_the_session_goes_on(string code)
    {
        await RunAsync("let started = new System.Threading.ManualResetEvent(false)\nlet before = 5");
        var running = RunAsync("started.Set() |> ignore\n" + code);
        await RunOutsideAsync(() => ((ManualResetEvent)_cells.Value("started")).WaitOne(TimeSpan.FromMinutes(2)));
        _cells.Interrupt();
        Assert.Equal(CellStatus.Stopped, (await running.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken)).Status);
        Assert.Equal("5", await ValueAsync("before"));
    }

    private static async Task RunOutsideAsync(Func<bool> wait) => Assert.True(await Task.Run(wait));

    [Fact]
    public async Task One_cell_may_change_languages_and_each_shows_its_value()
    {
        Assert.Null((await RunAsync("var a = 1;\na + 1\n#!fsharp\n1 + 2\n#!html\n<b>four</b>\n#!csharp\n5", CellLanguage.CSharp)).Error);
        Assert.Equal(["2", "3", "four", "5"], _cells.Shown.Shown.Select(bundle => bundle.Plain));
        Assert.Equal([false, false, true, true], _cells.Shown.IsResult);
    }

    [Fact]
    public async Task A_csharp_object_is_shared_with_fsharp_and_stays_the_same_object()
    {
        await RunAsync("var numbers = new double[] { 1, 2, 3 }; var names = new Dictionary<string, List<int>> { [\"a\"] = new() { 7 } };", CellLanguage.CSharp);
        Assert.Null((await RunAsync("#!share numbers --from csharp\n#!share names --from csharp --as table\nnumbers.[0] <- Array.sum numbers + float table.[\"a\"].[0]")).Error);
        Assert.Equal("13", await ValueAsync("numbers[0]", CellLanguage.CSharp));
    }

    [Fact]
    public async Task Fsharp_values_are_shared_with_csharp_by_their_types_or_dynamically()
    {
        await RunAsync("type Ship = { Name: string; Draught: float }\nlet ship = { Name = \"Vasa\"; Draught = 4.8 }\nlet depths = [1; 2; 3]\nlet grid = Array2D.create 2 2 1.5\nlet pairs = dict [\"a\", struct (1, 2L)]");
        Assert.Null((await RunAsync("#!share ship --from fsharp\n#!share --from fsharp depths\n#!share grid --from fsharp\n#!share pairs --from fsharp", CellLanguage.CSharp)).Error);
        Assert.Equal("Vasa 6 1.5 2", await ValueAsync("$\"{ship.Name} {depths.Sum()} {grid[1, 1]} {pairs[\"a\"].Item2}\"", CellLanguage.CSharp));
    }

    [Theory]
    [InlineData("#!share missing --from csharp", "no variable missing")]
    [InlineData("#!share x", "--from")]
    [InlineData("#!share x --from cobol", "cobol")]
    [InlineData("#!share x --from csharp --by value", "--by")]
    [InlineData("#!set --name x", "--value")]
    [InlineData("#!set --name x --value @input:Depth", "Nobody can be asked")]
    [InlineData("#!time now", "#!time")]
    [InlineData("#!import missing.csx", "missing.csx")]
    [InlineData("#!import \"open", "quote")]
    [InlineData("#!csharp\nrecord Mine(int A); var mine = new Mine(1);\n#!fsharp\n#!share mine --from csharp", "a C# cell declares")]
    public async Task A_command_that_cannot_be_followed_says_why_and_where(string code, string named)
    {
        var error = (await RunAsync(code)).Error!;
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Equal(code.Split('\n').Length, error.Line);
    }

    [Fact]
    public async Task Variables_are_set_to_values_texts_and_other_variables()
    {
        Assert.Null((await RunAsync("#!set --name whole --value 41\n#!set --name text --value \"two words\"\n#!set --name flag --value true", CellLanguage.CSharp)).Error);
        Assert.Equal("42 two words False", await ValueAsync("$\"{whole + 1} {text} {!flag}\"", CellLanguage.CSharp));
        Assert.Equal("two words", await ValueAsync("#!set --name text --value @csharp:text\ntext"));
    }

    [Fact]
    public async Task Variables_and_commands_are_listed()
    {
        await RunAsync("int depthOfC = 3; var nameOfC = \"<b>\";", CellLanguage.CSharp);
        await RunAsync("let depthOfF = 4");
        Assert.Contains("depthOfC\n", await ValueAsync("#!who", CellLanguage.CSharp), StringComparison.Ordinal);
        Assert.Contains("depthOfF", await ValueAsync("#!who"), StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;", (await ValueAsync("#!whos", CellLanguage.CSharp)).Length > 0 ? _cells.Shown.Shown[^1].Form("text/html") : "", StringComparison.Ordinal);
        Assert.Contains("#!share name --from", await ValueAsync("#!lsmagic"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_rest_of_a_cell_is_timed()
    {
        await RunAsync("#!time\n1 + 1");
        Assert.Equal("2", _cells.Shown.Shown[0].Plain);
        Assert.StartsWith("Wall time: ", _cells.Shown.Shown[1].Plain, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_every_kind_are_imported_into_their_languages()
    {
        _cells.Folder.Write("a.csx", "int fromCsx = 1;");
        _cells.Folder.Write("b.fsx", "let fromFsx = 2");
        _cells.Folder.Write("c.dib", "#!meta\n{\"kernelInfo\": {}}\n#!csharp\nint fromDib = fromCsx + 2;\n#!fsharp\nlet fromDib = fromFsx + 2");
        _cells.Folder.Write("d.ipynb", NotebookJson.Of("md:# Title", "int fromNotebook = fromDib + 2;"));
        Assert.Null((await RunAsync("#!import a.csx\n#!import b.fsx\n#!import c.dib\n#!import d.ipynb")).Error);
        Assert.Equal("5", await ValueAsync("fromNotebook", CellLanguage.CSharp));
        Assert.Equal("4", await ValueAsync("fromDib"));
        _cells.Folder.Write("bad.csx", "\nint x = nowhere;");
        Assert.Contains("bad.csx, line 2: CS0103", (await RunAsync("#!import bad.csx")).Error!.Message, StringComparison.Ordinal);
        _cells.Folder.Write("loop.csx", "#!import loop.csx");
        Assert.Contains("nested", (await RunAsync("#!import loop.csx")).Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 + 1", Completeness.Complete)]
    [InlineData("let f x =", Completeness.Incomplete)]
    [InlineData("let f x =\n    x + 1", Completeness.Incomplete)]
    [InlineData("let f x =\n    x + 1\n", Completeness.Complete)]
    [InlineData("(1 + 2", Completeness.Incomplete)]
    [InlineData("\"text", Completeness.Incomplete)]
    [InlineData("let x = )", Completeness.Invalid)]
    public void A_console_learns_whether_enter_ends_the_input(string code, object state) =>
        Assert.Equal(state, _cells.Editor.Check(code, CellLanguage.FSharp));

    [Fact]
    public async Task Names_are_completed_and_explained()
    {
        await RunAsync("let harbour = [| 1 |]");
        var found = await _cells.Editor.CompleteAsync("let a = 1\nharbour.Len", 21, CellLanguage.FSharp);
        Assert.Equal(["Length"], found.Items.Select(item => item.Text));
        Assert.Equal((18, 21), (found.Start, found.End));
        Assert.Contains("'T list -> 'U list", await _cells.Editor.InspectAsync("List.map", 8, CellLanguage.FSharp), StringComparison.Ordinal);
        Assert.Null(await _cells.Editor.InspectAsync("  ", 1, CellLanguage.FSharp));
    }

    /// <summary>The session, with an output that each test has for itself.</summary>
    public sealed class Session : IDisposable
    {
        private readonly NotebookSession _session;
        private readonly Forward _forward = new();
        private int _cells;

        public Session() => _session = new NotebookSession(Folder.Path, _forward);

        internal TemporaryFolder Folder { get; } = new();

        internal Collected Shown
        {
            get => _forward.Target;
            set => _forward.Target = value;
        }

        internal CellEditor Editor => _session.Editor;

        internal Task<CellResult> RunAsync(string code, CellLanguage language) => _session.RunAsync(++_cells, code, language, TestContext.Current.CancellationToken);

        internal object Value(string name) => _session.VariablesOf(CellLanguage.FSharp).Single(variable => variable.Name == name).Value!;

        internal void Interrupt() => _session.Interrupt();

        public void Dispose()
        {
            _session.Dispose();
            Folder.Dispose();
        }

        private sealed class Forward : ICellOutput
        {
            public Collected Target { get; set; } = new();

            public void Write(OutputStream stream, string text) => Target.Write(stream, text);

            public void Display(MimeBundle bundle, string? id) => Target.Display(bundle, id);

            public void Update(string id, MimeBundle bundle) => Target.Update(id, bundle);
        }
    }
}
