using System.Text.RegularExpressions;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Tests.Engine;

public sealed partial class InterruptChecksTests
{
    private const string Check = "global::TorchQuant.Notebooks.Interactive.Interrupts.Check();";
    private const string Enter = "global::TorchQuant.Notebooks.Interactive.Interrupts.Enter();";

    [Theory]
    [InlineData("while (true) { F(); }", "while (true) { ¤ F(); }")]
    [InlineData("for (;;) F();", "for (;;) { ¤ F(); }")]
    [InlineData("while (true) { }", "while (true) { ¤ }")]
    [InlineData("while (true);", "while (true){ ¤ ; }")]
    [InlineData("for (var i = 0; i < n; i++) sum += a[i];", "for (var i = 0; i < n; i++) { ¤ sum += a[i]; }")]
    [InlineData("if (a) while (b) F(); else G();", "if (a) while (b) { ¤ F(); } else G();")]
    [InlineData("foreach (var x in y)\n    foreach (var z in x) F(z);", "foreach (var x in y)\n    { ¤ foreach (var z in x) { ¤ F(z); } }")]
    [InlineData("do F(); while (a);", "do { ¤ F(); } while (a);")]
    [InlineData("int Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2);", "int Fib(int n) { § return n < 2 ? n : Fib(n - 1) + Fib(n - 2); }")]
    [InlineData("void F() => G();", "void F() { § G(); }")]
    [InlineData("async Task F() => await G();", "async Task F() { § await G(); }")]
    [InlineData("async Task<int> F() => await G();", "async Task<int> F() { § return await G(); }")]
    [InlineData("int F() => throw new Exception();", "int F() { § throw new Exception(); }")]
    [InlineData("class A { int F()\n{ return 1; } }", "class A { int F()\n{ § return 1; } }")]
    [InlineData("Run(() => { G(); });", "Run(() => { § G(); });")]
    public void Loops_and_functions_ask(string code, string expected) =>
        Assert.Equal(Spaces().Replace(expected.Replace("¤", Check, StringComparison.Ordinal).Replace("§", Enter, StringComparison.Ordinal), " "), Spaces().Replace(InterruptChecks.Insert(code), " "));

    [Theory]
    [InlineData("while (a) int x = F();")]
    [InlineData("int x = 1; F(x);")]
    [InlineData("class A { ~A() { F(); } }")]
    [InlineData("Func<int, int> f = x => G(x);")]
    [InlineData("for (;;")]
    public void The_rest_is_left_as_it_is(string code) => Assert.Equal(code, InterruptChecks.Insert(code));

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
