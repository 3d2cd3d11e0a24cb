namespace TorchQuant.Interactive;

/// <summary>How numbers map to length along an axis.</summary>
public enum AxisScale
{
    /// <summary>Equal differences have equal lengths.</summary>
    Linear,

    /// <summary>Equal ratios have equal lengths; numbers that are not positive cannot be shown.</summary>
    Logarithmic,
}

/// <summary>
/// One axis of a chart. A string converts to an axis, with the unit in brackets at its end: <c>"loss [nats]"</c>.
/// The axis always reaches over all data; <see cref="From"/> and <see cref="To"/> make it reach further, so that several charts can share a range.
/// </summary>
/// <param name="Label">What is measured.</param>
/// <param name="Unit">In what; empty when it has no unit.</param>
/// <param name="Scale">Linear or logarithmic.</param>
public sealed record Axis(string Label = "", string Unit = "", AxisScale Scale = AxisScale.Linear)
{
    /// <summary>The axis reaches at least down to this; null: as far as the data.</summary>
    public double? From { get; init; }

    /// <summary>The axis reaches at least up to this; null: as far as the data.</summary>
    public double? To { get; init; }

    /// <summary>The label with its unit in parentheses.</summary>
    public string Caption => Unit.Length == 0 ? Label : Label.Length == 0 ? Unit : $"{Label} ({Unit})";

    /// <summary>The same axis with a logarithmic scale.</summary>
    public Axis Logarithmic() => this with { Scale = AxisScale.Logarithmic };

    /// <summary>Reads <c>"label [unit]"</c>; without brackets the whole text is the label.</summary>
    public static Axis Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var open = text.LastIndexOf('[');
        return open < 0 || !text.EndsWith(']') ? new Axis(text) : new Axis(text[..open].TrimEnd(), text[(open + 1)..^1]);
    }

    /// <summary>See <see cref="Parse"/>.</summary>
    public static implicit operator Axis(string text) => Parse(text);
}
