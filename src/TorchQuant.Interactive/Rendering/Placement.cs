namespace TorchQuant.Interactive.Rendering;

/// <summary>Keeps labels apart: a label is placed only where nothing else is.</summary>
internal sealed class Placement(Box within)
{
    private readonly List<Box> _taken = [];

    public void Take(Box box) => _taken.Add(box);

    /// <summary>Whether <paramref name="box"/> lies within the drawing and touches nothing.</summary>
    public bool IsFree(Box box) => box.Left >= within.Left && box.Right <= within.Right && box.Top >= within.Top && box.Bottom <= within.Bottom && !_taken.Exists(box.Overlaps);

    /// <summary>True, and the place is taken, when <paramref name="label"/> lies within the drawing and touches nothing.</summary>
    public bool TryTake(TextMark label)
    {
        var box = label.Bounds;
        if (!IsFree(box)) return false;
        _taken.Add(box);
        return true;
    }
}
