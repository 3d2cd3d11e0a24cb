namespace TorchQuant.Interactive;

/// <summary>
/// Bars that show themselves: in a notebook below the running cell, in a terminal on one line of its error output once the work takes more than a second, nowhere else.
/// <code>
/// foreach (var batch in Progress.Over(batches, "calibrating")) prepared.call(batch).Dispose();
/// </code>
/// </summary>
public static class Progress
{
    /// <summary>Gives the items one by one and reports each when the next one is asked for.</summary>
    /// <param name="items">What is worked on.</param>
    /// <param name="title">What is being done.</param>
    /// <param name="total">How many items there are; null: as many as the collection says.</param>
    /// <exception cref="ArgumentException">The number of items is not known.</exception>
    public static IEnumerable<T> Over<T>(IEnumerable<T> items, string title, long? total = null)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(title);
        if (total is null && !items.TryGetNonEnumeratedCount(out _))
            throw new ArgumentException($"'{title}': how many items there are is not known before all have been read; give total:, or a list or an array.", nameof(items));
        return Reported(items, title, total);
    }

    /// <summary>A bar that is shown where the code runs; report to it, or hand it on as <see cref="IProgress{T}"/> of steps (int) or of a share from 0 to 1 (double).</summary>
    /// <param name="total">How many steps there are.</param>
    /// <param name="title">What is being done.</param>
    public static ProgressBar Start(long total, string title = "")
    {
        var bar = new ProgressBar(total, title);
        return NotebookDisplay.TryShow(bar) is { } update ? bar.Attach(update) : Console.IsErrorRedirected ? bar : bar.Attach(new TerminalLine(Console.Error).Show);
    }

    private static IEnumerable<T> Reported<T>(IEnumerable<T> items, string title, long? total)
    {
        var bar = Start(total ?? (items.TryGetNonEnumeratedCount(out var count) ? count : 0), title);
        long done = 0;
        foreach (var item in items)
        {
            yield return item;
            bar.Report(++done);
        }
        bar.Complete();
    }
}
