namespace TorchQuant.Notebooks.Engine.Magic;

/// <summary><c>#!share name --from language</c>: the same object under the same name, or under that of <c>--as</c>, in the language around the command.</summary>
internal static class ShareCommand
{
    public const string Usage = "#!share name --from csharp|fsharp [--as name]";

    public static Action? Act(MagicContext context)
    {
        var command = context.Command;
        command.Check(Usage, values: 1, "--from", "--as");
        var variable = Find(context, command.Required("--from", Usage), command.Values[0]);
        context.Cells.SetVariable(context.Language, command.Options.GetValueOrDefault("--as", command.Values[0]), variable, command.Line, context.Run);
        return null;
    }

    /// <summary>The variable of another language.</summary>
    /// <exception cref="CellException">There is no such variable.</exception>
    public static CellVariable Find(MagicContext context, string language, string name)
    {
        var from = context.Cells.EngineOf(CellSegment.LanguageOf(language, context.Command.Line), context.Command.Line);
        return from.Variables.FirstOrDefault(v => v.Name == name)
            ?? throw new CellException($"There is no variable {name} in {language}. It has: {string.Join(", ", from.Variables.Select(v => v.Name).Order(StringComparer.Ordinal))}.", context.Command.Line);
    }
}
