using System.Text.Json;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Documents;

/// <summary>A value's forms as the JSON object that notebooks and Jupyter's messages have for them: MIME type to text, to base64, or to JSON for JSON's own types.</summary>
internal static class MimeJson
{
    /// <param name="bundle">The forms.</param>
    /// <param name="text">How a text is written: notebooks have lists of lines, messages have strings.</param>
    public static JsonObject Of(MimeBundle bundle, Func<string, JsonNode?> text)
    {
        var data = new JsonObject();
        foreach (var (mime, form) in bundle.Forms)
            data[mime] = IsJson(mime) ? ParsedOrText(form) : mime.StartsWith("image/", StringComparison.Ordinal) && mime != MimeBundle.Svg ? form : text(form);
        return data;
    }

    private static bool IsJson(string mime) => mime == "application/json" || mime.EndsWith("+json", StringComparison.Ordinal);

    private static JsonNode? ParsedOrText(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
