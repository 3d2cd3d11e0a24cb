namespace TorchQuant.Interactive;

/// <summary>A value that the data is compared with: a dashed line over the whole chart, named in the legend, or above the plot where it stands upright.</summary>
/// <param name="Name">What the value is.</param>
/// <param name="At">The value.</param>
/// <param name="OnX">True: a vertical line at x = <paramref name="At"/>; false: a horizontal line at y. Ignored by bar charts, where it is on the value axis.</param>
public sealed record ReferenceLine(string Name, double At, bool OnX = false);
