using System.Text;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A cell with a mark of its data type's colour before it or in the font of code.</summary>
internal sealed record Cell(string Text, string Color = "", bool Code = false)
{
    public string Html()
    {
        var text = Code ? $"<code>{Markup.Encode(Text)}</code>" : Breakable(Text);
        return Color.Length == 0 ? text : $"<span class=\"tq-typed\"><span class=\"tq-dot\" style=\"background:{Markup.Encode(Color)}\"></span>{text}</span>";
    }

    /// <summary>Encoded, with places where a long name may go on in the next line: after its brackets, signs and underlines, and before its capitals.</summary>
    public static string Breakable(string text)
    {
        const int longest = 16;
        var html = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (html.Length > 0 || word.Length == 0) html.Append(' ');
            var from = 0;
            for (var i = 1; word.Length > longest && i < word.Length; i++)
            {
                if (word[i - 1] is not ('(' or '=' or '_' or '/' or '.') && !(char.IsUpper(word[i]) && char.IsLower(word[i - 1]))) continue;
                html.Append(Markup.Encode(word[from..i])).Append("<wbr/>");
                from = i;
            }
            html.Append(Markup.Encode(word[from..]));
        }
        return html.ToString();
    }

    public override string ToString() => Text;
}
