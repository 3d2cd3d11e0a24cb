using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>A chart on two number axes: lines, points, histograms, ranges.</summary>
public sealed record XyChart : Chart
{
    /// <summary>A chart of <paramref name="series"/>, drawn in their order.</summary>
    public XyChart(string title, IReadOnlyList<Series> series) : base(title) => Series = [.. series];

    /// <summary>What is drawn.</summary>
    public IReadOnlyList<Series> Series { get; }

    /// <summary>The horizontal axis.</summary>
    public Axis X { get; init; } = new();

    /// <summary>The vertical axis.</summary>
    public Axis Y { get; init; } = new();

    /// <summary>Lines to compare with.</summary>
    public IReadOnlyList<ReferenceLine> References { get; init => field = [.. value]; } = [];

    /// <summary>Ranges to compare with.</summary>
    public IReadOnlyList<ReferenceBand> Bands { get; init => field = [.. value]; } = [];

    /// <summary>The numbers that a quantized type can hold, shown as a comb on the horizontal axis; null: none.</summary>
    public QuantizationGrid? Grid { get; init; }

    internal override Scene Draw() => XyPlot.Draw(this);
}
