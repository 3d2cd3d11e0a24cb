namespace TorchQuant.Interactive;

/// <summary>
/// Something to look at, without need of a host: <see cref="ToHtml"/> gives a fragment for any page, <see cref="ToText"/> a form for terminals. Shown in a notebook it offers both by itself.
/// Every text in it is data: it is encoded, never read as markup.
/// </summary>
[TypeFormatterSource(typeof(VisualFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public abstract record Visual
{
    /// <summary>A self-contained HTML fragment: no script, nothing loaded; takes the page's text colour, so it is legible on light and dark pages.</summary>
    public abstract string ToHtml();

    /// <summary>Plain text, lines parted by \n.</summary>
    public abstract string ToText();

    /// <summary>The same as <see cref="ToText"/>.</summary>
    public sealed override string ToString() => ToText();
}
