using System.Collections;
using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;

namespace TorchQuant.Notebooks.Engine;

/// <summary>A text that already is in the form that it is displayed as.</summary>
internal sealed record PreformattedText(string Text);

/// <summary>
/// Turns a value into the forms a notebook keeps. The formatting itself is Microsoft.DotNet.Interactive.Formatting's (registered formatters,
/// formatters that packages bring by convention, defaults); this decides which forms are asked for.
/// </summary>
internal static partial class ValueFormatter
{
    // Richest first: readers that know a bundle's order take the first they can show.
    private static readonly string[] s_order = [HtmlFormatter.MimeType, MimeBundle.Svg, "image/png", MimeBundle.Markdown, PlainTextFormatter.MimeType];

    private static readonly ConcurrentDictionary<Type, IReadOnlyList<string>> s_conventions = new();

    public static MimeBundle Format(object? value, IReadOnlyCollection<string> mimeTypes)
    {
        if (value is PreformattedText ready) return new MimeBundle([.. mimeTypes.Select(mime => KeyValuePair.Create(mime, ready.Text))]);
        if (mimeTypes.Count > 0) return new MimeBundle([.. mimeTypes.Select(mime => KeyValuePair.Create(mime, FormatAs(value, mime)))]);
        if (value is null) return MimeBundle.OfText(Formatter.NullString);
        if (value is IHtmlContent html) return OfHtml(html);

        var type = value.GetType();
        var forms = Formatter.GetPreferredMimeTypesFor(type).Concat(Conventions(type)).Append(PlainTextFormatter.MimeType).Distinct()
            .OrderBy(mime => Array.IndexOf(s_order, mime) is var place and >= 0 ? place : s_order.Length)
            .Select(mime => KeyValuePair.Create(mime, FormatAs(value, mime)));
        return new MimeBundle([.. forms]);
    }

    private static string FormatAs(object? value, string mimeType) =>
        value is string text && mimeType != HtmlFormatter.MimeType ? text : value.ToDisplayString(mimeType);

    private static MimeBundle OfHtml(IHtmlContent html) => OfMarkup(html.ToDisplayString(HtmlFormatter.MimeType));

    /// <summary>Markup as it is, and its words.</summary>
    public static MimeBundle OfMarkup(string markup) => new([new(HtmlFormatter.MimeType, markup), new(PlainTextFormatter.MimeType, TextOf(markup))]);

    /// <summary>The words of a piece of markup, for terminals and for readers that show no HTML.</summary>
    public static string TextOf(string markup)
    {
        var text = Tags().Replace(NotText().Replace(markup, ""), match => BlockTag().IsMatch(match.Value) ? "\n" : " ");
        return BlankLines().Replace(Spaces().Replace(WebUtility.HtmlDecode(text), " "), "\n").Trim();
    }

    // Formatting honours the attribute when it is asked for one form; which forms the package offers it tells nobody, so they are read here.
    private static IReadOnlyList<string> Conventions(Type type) => s_conventions.GetOrAdd(type, static t =>
    [
        .. t.GetCustomAttributes(inherit: true)
            .Where(attribute => attribute.GetType().Name == nameof(TypeFormatterSourceAttribute))
            .Select(attribute => attribute.GetType().GetProperty(nameof(TypeFormatterSourceAttribute.FormatterSourceType))?.GetValue(attribute) as Type)
            .OfType<Type>()
            .SelectMany(Formatters)
            .Select(formatter => formatter.GetType().GetProperty("MimeType")?.GetValue(formatter) as string)
            .OfType<string>()
            .Distinct(),
    ]);

    private static IEnumerable<object> Formatters(Type source)
    {
        var create = source.GetMethod("CreateTypeFormatters", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        return create?.Invoke(Activator.CreateInstance(source, nonPublic: true), null) is IEnumerable formatters ? formatters.Cast<object>() : [];
    }

    [GeneratedRegex("<(style|script|title)\\b.*?</\\1>", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex NotText();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("^</?(p|div|br|tr|li|ul|ol|h[1-6]|table|pre|summary|details)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex BlockTag();

    [GeneratedRegex("[ \\t]+")]
    private static partial Regex Spaces();

    [GeneratedRegex("\\s*\\n\\s*")]
    private static partial Regex BlankLines();
}
