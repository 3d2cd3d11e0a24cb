namespace TorchQuant.Interactive;

/// <summary>
/// Tells a notebook which formatters a type has. .NET Interactive (and our host) look for an attribute of this simple name by reflection, so that a library needs no reference to them: the names of the attribute, of
/// its properties, of CreateTypeFormatters, MimeType and Format are that convention.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    public Type FormatterSourceType { get; } = formatterSourceType;

    public string[] PreferredMimeTypes { get; set; } = [];
}
