using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Export;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Export;

/// <summary>Programs that notebooks of C# become: each is compiled, and prints what the notebook's cells print and show.</summary>
[Collection(ProcessState.Name)]
public sealed class CSharpProgramTests
{
    public static TheoryData<string, string[]> Notebooks => new()
    {
        { "values are shown, statements are not", ["1 + 1", "var x = 3;\nx", "int.Parse(\"4\");", "Console.WriteLine(\"said\")", "new[] { 1, 2 }.Select(i => i * x).ToArray() is var a ? $\"{a[0]} {a[1]}\" : \"\""] },
        { "functions, types and usings of all cells", ["using System.Globalization;\npublic record Point(int X);\n// twice\npublic static int Twice(int x) => 2 * x;", "using System.IO;\nenum Colour { Red }\nnew Point(Twice(2)).X.ToString(CultureInfo.InvariantCulture) + Path.Combine(\"a\", \"b\") + Colour.Red"] },
        { "a name declared again", ["int row = 1; int Next(int by) => row + by;", "Next(by: 1)", "string row = \"two\"; int Next(int by) => row.Length + by;", "row + Next(by: 2) + new { row }.row", "record row(int A);\nnew row(5).A"] },
        { "a name in a block that a later cell declares", ["foreach (var line in new[] { \"a\", \"b\" }) Console.WriteLine(line);\nfor (var i = 0; i < 1; i++) { var part = \"p\"; Console.WriteLine(part.Length + i); }", "var line = 1; var i = 7; int part = 2;\nline + i + part", "Func<int, int> f = line => line + 1;\nf(2)"] },
        { "a variable without value", ["byte[] data; int count;\nint Length() => data is null ? count : data.Length;", "Length()", "data = new byte[3];\nLength()"] },
        { "deconstruction, patterns and out variables", ["var (left, right) = (1, 2); int.TryParse(\"9\", out var parsed);", "left + right + parsed", "var (left, other) = (10, 20);", "left + other + right"] },
        { "extension methods, await and constants", ["const int Base = 10;\npublic static int Plus(this int x, int y) => x + y;", "await Task.Delay(1);\nBase.Plus(5)", "private readonly int hidden = 2;\nhidden.Plus(1)"] },
        { "a displayed value", ["var shown = display(\"first\");", "\"by method\".Display();", "display(\"last\")", "2.Display()"] },
        { "text and commands", ["md:# Heading\n\ntext", "#!time\nvar t = 1;\nt", "#!markdown\n*text*\n#!csharp\nt + 1"] },
    };

    [Theory]
    [MemberData(nameof(Notebooks))]
    public async Task The_program_prints_what_the_notebook_shows(string what, string[] cells)
    {
        var shown = new Collected();
        using (var folder = new TemporaryFolder())
        using (var session = new NotebookSession(folder.Path, shown))
        {
            var number = 0;
            foreach (var cell in cells.Where(cell => !cell.StartsWith("md:", StringComparison.Ordinal)))
            {
                var before = shown.Shown.Count;
                var result = await session.RunAsync(++number, cell.Replace("#!time\n", "", StringComparison.Ordinal), CellLanguage.CSharp, TestContext.Current.CancellationToken);
                Assert.True(result.Error is null, $"{what}: {string.Join('\n', result.Error?.Lines ?? [])}");
                foreach (var bundle in shown.Shown.Skip(before).Where(bundle => bundle.Form(MimeBundle.Markdown) is null)) shown.Out.Append(bundle.Plain).Append('\n');
            }
        }
        Assert.Equal(shown.Out.ToString(), Run(Export(cells)));
    }

    [Fact]
    public void Packages_sources_and_text_have_their_places()
    {
        var program = Export("md:# Title\n\nAbout it", "#r \"nuget: A.B, 1.2.0\"\n#i \"nuget: feed\"\n#r \"nuget: C\"\nusing System.IO;\n\nvar x = 1;", "#r \"nuget: A.B\"\nx");
        Assert.StartsWith("// n.ipynb, exported by TorchQuant.Notebooks. Start it in the notebook's folder with `dotnet run n.cs`.\n\n#:package A.B@1.2.0\n#:package C@*\n#:property RestoreAdditionalProjectSources=feed\n", program, StringComparison.Ordinal);
        Assert.Contains("using System.Threading.Tasks;\nusing static Notebook;\n\n// # Title\n//\n// About it\n\nvar x = 1;\n\ndisplay(x);\n", program, StringComparison.Ordinal);
    }

    [Fact]
    public void Whether_a_call_has_a_value_is_known_of_a_notebook_that_was_run()
    {
        var document = NotebookDocument.Parse(NotebookJson.Of("F()", "F()"), "n.ipynb");
        document.Cells[0].ExecutionCount = 1;
        var program = CSharpProgram.Write(ScriptSource.Read(document, "n.ipynb"));
        Assert.Contains("\nF();\n\ndisplay(F());\n", program, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1\n#!fsharp\nlet x = 1", "Cell 2, line 3: It is in FSharp")]
    [InlineData("#!share x --from fsharp", "Cell 2, line 1: #!share")]
    [InlineData("#r \"x.dll\"", "Cell 2, line 1: #r \"x.dll\"")]
    [InlineData("#load \"x.csx\"", "Cell 2: `#load \"x.csx\"`")]
    [InlineData("return 1;", "Cell 2: `return 1;`")]
    [InlineData("int P => 3;", "Cell 2: `int P => 3;`")]
    [InlineData("Formatter.Register<int>((a, w) => {}, \"text/plain\");", "formatters")]
    [InlineData("#!cobol", "Cell 2, line 1: 'cobol'")]
    public void What_a_program_cannot_hold_is_refused_with_its_place(string cell, string named) =>
        Assert.Contains(named, Assert.Throws<ExportException>(() => Export("1", cell)).Message, StringComparison.Ordinal);

    private static string Export(params string[] cells) => CSharpProgram.Write(ScriptSource.Read(NotebookDocument.Parse(NotebookJson.Of(cells), "n.ipynb"), "n.ipynb"));

    private static string Run(string program)
    {
        var code = string.Join('\n', program.Split('\n').Select(line => line.StartsWith("#:", StringComparison.Ordinal) ? "" : line));
        var compilation = CSharpCompilation.Create("program" + Guid.NewGuid().ToString("N"), [CSharpSyntaxTree.ParseText(code)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location))
                .Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Annotations));
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)) + "\n" + program);
        var before = Console.Out;
        using var printed = new StringWriter { NewLine = "\n" };
        Console.SetOut(printed);
        try
        {
            Assembly.Load(image.ToArray()).EntryPoint!.Invoke(null, [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(before);
        }
        return printed.ToString();
    }
}
