using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>
/// How often each class was taken for each: a row per true class, a column per predicted one, and the share that is right at each row's end. A cell's shade is the square root of its share of the row, so that rare
/// mistakes are seen beside the many right answers.
/// </summary>
public sealed record ConfusionMatrix : Chart
{
    /// <summary>A matrix that was counted elsewhere: <paramref name="counts"/>[true][predicted].</summary>
    /// <exception cref="ArgumentException">There is not one row and one column per class, or a count is negative.</exception>
    public ConfusionMatrix(string title, IReadOnlyList<string> classes, IReadOnlyList<IReadOnlyList<long>> counts) : base(title)
    {
        if (classes.Count == 0) throw new ArgumentException($"Confusion matrix '{title}' has no classes.");
        if (counts.Count != classes.Count) throw new ArgumentException($"Confusion matrix '{title}' has {classes.Count} classes and {counts.Count} rows; give one row per class.");
        for (var i = 0; i < counts.Count; i++)
        {
            if (counts[i].Count != classes.Count) throw new ArgumentException($"Confusion matrix '{title}' has {classes.Count} classes, but row {i} has {counts[i].Count} counts; give one per class.");
            if (counts[i].Any(count => count < 0)) throw new ArgumentException($"Confusion matrix '{title}' has a negative count in row {i}.");
        }
        (Classes, Counts) = ([.. classes], [.. counts.Select(row => (IReadOnlyList<long>)[.. row])]);
    }

    /// <summary>The names of the classes.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>How many of the class of the row were predicted to be of the class of the column.</summary>
    public IReadOnlyList<IReadOnlyList<long>> Counts { get; }

    /// <summary>A colour as #rrggbb; null: that of the data type which the title names, else <see cref="Palette.Float"/>.</summary>
    public string? Color { get; init; }

    /// <summary>How many predictions there are.</summary>
    public long Total => Counts.Sum(row => row.Sum());

    /// <summary>The share of predictions that are right, 0 to 1; NaN when there are none.</summary>
    public double Accuracy => (double)Enumerable.Range(0, Classes.Count).Sum(i => Counts[i][i]) / Total;

    internal string Fill => Color ?? Palette.ForName(Title) ?? Palette.Float;

    /// <summary>Counts predictions.</summary>
    /// <param name="title">The title; when it names a data type the matrix has that type's colour.</param>
    /// <param name="classes">The names of classes 0, 1, ….</param>
    /// <param name="labels">The true class of each.</param>
    /// <param name="predictions">The predicted class of each.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a number names no class.</exception>
    public static ConfusionMatrix Count(string title, IReadOnlyList<string> classes, ReadOnlySpan<long> labels, ReadOnlySpan<long> predictions)
    {
        if (labels.Length != predictions.Length)
            throw new ArgumentException($"Confusion matrix '{title}' has {labels.Length} labels and {predictions.Length} predictions; give one of each.", nameof(predictions));
        var counts = new long[classes.Count][];
        for (var i = 0; i < counts.Length; i++) counts[i] = new long[classes.Count];
        for (var i = 0; i < labels.Length; i++)
        {
            if ((ulong)labels[i] >= (ulong)classes.Count) throw new ArgumentException($"Confusion matrix '{title}': label {i} is {labels[i]}, but there are classes 0 to {classes.Count - 1}.", nameof(labels));
            if ((ulong)predictions[i] >= (ulong)classes.Count)
                throw new ArgumentException($"Confusion matrix '{title}': prediction {i} is {predictions[i]}, but there are classes 0 to {classes.Count - 1}.", nameof(predictions));
            counts[labels[i]][predictions[i]]++;
        }
        return new ConfusionMatrix(title, classes, counts);
    }

    /// <summary>Of the predictions for class <paramref name="index"/> the share that is right, 0 to 1; NaN when there are none.</summary>
    public double Recall(int index) => (double)Counts[index][index] / Counts[index].Sum();

    internal override Scene Draw() => MatrixPlot.Draw(this);
}
