namespace TorchQuant.Interactive;

/// <summary>The forms in which a notebook asks for a value.</summary>
internal static class MimeTypes
{
    public const string Html = "text/html";

    public const string Svg = "image/svg+xml";

    public const string Text = "text/plain";
}
