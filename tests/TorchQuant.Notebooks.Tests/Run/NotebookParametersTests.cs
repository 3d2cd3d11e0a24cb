using System.Globalization;
using FsCheck.Xunit;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Tests.Run;

public sealed class NotebookParametersTests
{
    private const string Declarations = "bool quick = false; int count = 1; long big = 1; float f = 1; double rate = 0.1; decimal d = 1; string text = \"\"; double? maybe = null; const int Fixed = 1; var list = new int[0];";

    private static Task<Dictionary<string, object?>> AfterAsync(params string[] arguments) => Task.Run(() =>
    {
        using var engine = new CSharpScriptEngine(AppContext.BaseDirectory);
        Assert.Empty(engine.Run(Declarations, "cell 1", new CellRun()).Errors);
        Assert.Empty(engine.Run(new NotebookParameters(arguments).Assignments([.. engine.Variables], CellLanguage.CSharp), "cell 2", new CellRun()).Errors);
        return engine.Variables.ToDictionary(variable => variable.Name, variable => variable.Value);
    });

    [Fact]
    public async Task Values_take_the_types_of_their_variables()
    {
        var values = await AfterAsync("quick=True", "count=-7", "big=9876543210", "f=1e-3", "rate=0.25", "d=1.10", "text=a=\"b\"\\", "maybe=2");
        Assert.Equal(
            [true, -7, 9876543210L, 1e-3f, 0.25, 1.10m, "a=\"b\"\\", 2.0],
            new[] { "quick", "count", "big", "f", "rate", "d", "text", "maybe" }.Select(name => values[name]));
    }

    [Property(MaxTest = 15)]
    public void Every_text_and_number_arrives_as_it_was_given(string text, double number)
    {
        if (!double.IsFinite(number) || text is null) return;
        var values = AfterAsync($"text={text}", $"rate={number.ToString("R", CultureInfo.InvariantCulture)}").GetAwaiter().GetResult();
        Assert.Equal((text, number), ((string?)values["text"], (double?)values["rate"]));
    }

    [Theory]
    [InlineData("quik=true", "quick (bool)")]
    [InlineData("count=1.5", "int")]
    [InlineData("count=99999999999", "int")]
    [InlineData("quick=yes", "bool")]
    [InlineData("rate=NaN", "double")]
    [InlineData("Fixed=2", "const")]
    [InlineData("list=1", "bool, int")]
    public async Task What_cannot_be_set_is_refused_with_what_there_is(string argument, string named)
    {
        var error = await Assert.ThrowsAsync<ParameterException>(() => AfterAsync(argument));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("quick")]
    [InlineData("=1")]
    [InlineData("a b=1")]
    public void An_argument_of_another_form_is_refused(string argument) =>
        Assert.Contains("name=value", Assert.Throws<ParameterException>(() => new NotebookParameters([argument])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_name_given_twice_is_refused() => Assert.Throws<ParameterException>(() => new NotebookParameters(["a=1", "a=2"]));
}
