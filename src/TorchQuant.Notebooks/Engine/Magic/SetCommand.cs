using System.Text.Json;
using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Engine.Magic;

/// <summary><c>#!set --name x --value v</c>. A value is JSON where it reads as JSON (a number, true, false), otherwise text.</summary>
internal static class SetCommand
{
    public const string Usage = "#!set --name name --value value|@csharp:name|@fsharp:name|@input:prompt|@password:prompt";

    public static Action? Act(MagicContext context)
    {
        var command = context.Command;
        command.Check(Usage, values: 0, "--name", "--value");
        var name = command.Required("--name", Usage);
        context.Cells.SetVariable(context.Language, name, Value(context, command.Required("--value", Usage)), command.Line, context.Run);
        return null;
    }

    private static CellVariable Value(MagicContext context, string text)
    {
        if (!text.StartsWith('@')) return Of(Literal(text));
        var cut = text.IndexOf(':', StringComparison.Ordinal);
        var (source, name) = cut < 0 ? (text[1..], "") : (text[1..cut], text[(cut + 1)..]);
        if (source is not ("input" or "password")) return ShareCommand.Find(context, source, name);
        try
        {
            object answer = "";
            context.Run.Invoke(() => answer = SessionTarget.Input.Read(name, isPassword: source == "password"));
            return Of(answer);
        }
        catch (InvalidOperationException e)
        {
            throw new CellException(e.Message, context.Command.Line);
        }
    }

    private static CellVariable Of(object value) => new("value", value.GetType(), value, IsReadOnly: true);

    private static object Literal(string text)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonValue value)
            {
                if (value.TryGetValue(out bool flag)) return flag;
                if (value.TryGetValue(out int whole)) return whole;
                if (value.TryGetValue(out long big)) return big;
                if (value.TryGetValue(out double number)) return number;
            }
        }
        catch (JsonException)
        {
            // Text.
        }
        return text;
    }
}
