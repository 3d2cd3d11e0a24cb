using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A cell with a mark of its data type's colour before it or in the font of code.</summary>
internal sealed record Cell(string Text, string Color = "", bool Code = false)
{
    public string Html()
    {
        var text = Code ? $"<code>{Markup.Encode(Text)}</code>" : Markup.Encode(Text);
        var dot = Color.Length > 0 ? $"<span class=\"tq-dot\" style=\"background:{Markup.Encode(Color)}\"></span>" : "";
        return dot + text;
    }

    public override string ToString() => Text;
}
