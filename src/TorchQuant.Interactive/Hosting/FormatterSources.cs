namespace TorchQuant.Interactive;

#pragma warning disable CA1822 // Hosts create a source and call its method by reflection.

/// <summary>Formatters of a <see cref="Visual"/>.</summary>
internal sealed class VisualFormatterSource
{
    public IEnumerable<object> CreateTypeFormatters() => [ConventionFormatter.Html, ConventionFormatter.Text];
}

/// <summary>Formatters of a <see cref="Visual"/> that is a drawing.</summary>
internal sealed class DrawingFormatterSource
{
    public IEnumerable<object> CreateTypeFormatters() => [ConventionFormatter.Html, ConventionFormatter.Svg, ConventionFormatter.Text];
}

/// <summary>One form of a value, written as the convention wants it.</summary>
internal sealed class ConventionFormatter(string mimeType, Func<object, string?> write)
{
    public static ConventionFormatter Html { get; } = new(MimeTypes.Html, value => (value as Visual)?.ToHtml());

    public static ConventionFormatter Svg { get; } = new(MimeTypes.Svg, value => (value as IDrawing)?.ToSvg());

    public static ConventionFormatter Text { get; } = new(MimeTypes.Text, value => (value as Visual)?.ToText());

    public string MimeType { get; } = mimeType;

    /// <summary>Writes <paramref name="instance"/>; false when it is of another type, so that the host asks the next formatter.</summary>
    public bool Format(object instance, TextWriter writer)
    {
        if (write(instance) is not { } text) return false;
        writer.Write(text);
        return true;
    }
}

/// <summary>Formatters of a <see cref="ProgressBar"/>.</summary>
internal sealed class ProgressFormatterSource
{
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new ConventionFormatter(MimeTypes.Html, value => (value as ProgressBar)?.ToHtml()),
        new ConventionFormatter(MimeTypes.Text, value => (value as ProgressBar)?.ToText()),
    ];
}

/// <summary>Formatters of a <see cref="TrainingHistory"/>.</summary>
internal sealed class HistoryFormatterSource
{
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new ConventionFormatter(MimeTypes.Html, value => (value as TrainingHistory)?.ToHtml()),
        new ConventionFormatter(MimeTypes.Svg, value => (value as TrainingHistory)?.ToSvg()),
        new ConventionFormatter(MimeTypes.Text, value => (value as TrainingHistory)?.ToText()),
    ];
}
