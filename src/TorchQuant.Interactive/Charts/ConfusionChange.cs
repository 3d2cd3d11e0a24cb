using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>What changed from one confusion matrix to another: each cell says how many predictions came (+) or went (−), in the colour of the matrix that has more of them.</summary>
public sealed record ConfusionChange : Chart
{
    /// <summary>The difference <paramref name="after"/> − <paramref name="before"/>.</summary>
    /// <exception cref="ArgumentException">The matrices have other classes.</exception>
    public ConfusionChange(string title, ConfusionMatrix before, ConfusionMatrix after) : base(title)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (!before.Classes.SequenceEqual(after.Classes, StringComparer.Ordinal))
            throw new ArgumentException($"Change '{title}' needs two matrices of the same classes, but '{before.Title}' has {string.Join(", ", before.Classes)} and '{after.Title}' has {string.Join(", ", after.Classes)}.");
        (Before, After) = (before, after);
    }

    /// <summary>The matrix before, usually of the float model.</summary>
    public ConfusionMatrix Before { get; }

    /// <summary>The matrix after, usually of the int8 model.</summary>
    public ConfusionMatrix After { get; }

    /// <summary>How many more predictions of this class (row) went to that one (column).</summary>
    public long Of(int row, int column) => After.Counts[row][column] - Before.Counts[row][column];

    internal override Scene Draw() => MatrixPlot.Draw(this);
}
