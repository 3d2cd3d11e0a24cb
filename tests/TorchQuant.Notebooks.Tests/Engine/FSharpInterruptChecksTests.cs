using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Tests.Engine;

public sealed class FSharpInterruptChecksTests
{
    private const string Check = "global.TorchQuant.Notebooks.Interactive.Interrupts.Check()";
    private const string Enter = "global.TorchQuant.Notebooks.Interactive.Interrupts.Enter()";

    [Theory]
    [InlineData("while a do\n    f ()\n    g ()", "while a do\n    ¤\n# 2 \"cell 1\"\n    f ()\n    g ()")]
    [InlineData("while a do f ()", "while a do ¤; f ()")]
    [InlineData("for x in xs do\n    let y = x\n    f y", "for x in xs do\n    ¤\n# 2 \"cell 1\"\n    let y = x\n    f y")]
    [InlineData("for i = 1 to 3 do f i // why", "for i = 1 to 3 do ¤; f i // why")]
    [InlineData("let rec f x =\n    match x with\n    | 0 -> 0\n    | _ -> f (x - 1)", "let rec f x =\n    §\n# 2 \"cell 1\"\n    match x with\n    | 0 -> 0\n    | _ -> f (x - 1)")]
    [InlineData("let rec f x = f (x + 1)", "let rec f x = §; f (x + 1)")]
    [InlineData("let g () =\n    let rec f x : int =\n        f x\n    f 1", "let g () =\n    let rec f x : int =\n        §\n# 3 \"cell 1\"\n        f x\n    f 1")]
    [InlineData("for x in xs do\n    while x do\n        f x", "for x in xs do\n    ¤\n# 2 \"cell 1\"\n    while x do\n        ¤\n# 3 \"cell 1\"\n        f x")]
    [InlineData("async {\n    while true do\n        do! f ()\n}", "async {\n    while true do\n        ¤\n# 3 \"cell 1\"\n        do! f ()\n}")]
    public void Loops_and_recursive_functions_ask(string code, string expected) =>
        Assert.Equal(expected.Replace("¤", Check, StringComparison.Ordinal).Replace("§", Enter, StringComparison.Ordinal), FSharpInterruptChecks.Insert(code, "cell 1"));

    [Theory]
    [InlineData("[ for x in xs -> x ]")]
    [InlineData("query {\n    for x in xs do\n    select x\n}")]
    [InlineData("<@\n    while true do\n        ()\n@>")]
    [InlineData("while a do f (fun x ->\n    x)")]
    [InlineData("let f x = x + 1")]
    [InlineData("while a do")]
    [InlineData("\"while a do\n    b\"")]
    public void The_rest_is_left_as_it_is(string code) => Assert.Equal(code, FSharpInterruptChecks.Insert(code, "cell 1"));
}
