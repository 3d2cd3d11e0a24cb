namespace TorchQuant.Interactive;

/// <summary>
/// A range that the data is compared with, such as what an observer chose to keep: the part of the plot between <paramref name="From"/> and <paramref name="To"/> is shaded. A band on the horizontal axis is also drawn and named with
/// its ends in a row of its own above the plot, so that several can be compared; one on the vertical axis is named in the legend. The axis reaches to the ends unless that would leave the data no room.
/// </summary>
/// <param name="Name">What the range is.</param>
/// <param name="From">The lower end.</param>
/// <param name="To">The upper end.</param>
/// <param name="OnX">True: a range of x; false: a range of y.</param>
public sealed record ReferenceBand(string Name, double From, double To, bool OnX = false)
{
    /// <summary>The upper end.</summary>
    public double To { get; } = double.IsFinite(From) && double.IsFinite(To) && To >= From
        ? To
        : throw new ArgumentException($"Band '{Name}' goes from {From} to {To}; both ends must be finite, the upper one not below the lower one.", nameof(To));

    /// <summary>A colour as #rrggbb; null: by <see cref="Name"/>, else the next of <see cref="Palette.Series"/>.</summary>
    public string? Color { get; init; }
}
