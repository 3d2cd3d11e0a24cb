namespace TorchQuant.Notebooks.Engine;

/// <summary>A cell cannot run as it is written: a directive or magic command that is wrong or cannot be followed.</summary>
/// <param name="message">What was found, what was expected, the mend.</param>
/// <param name="line">The line in the cell, counted from 1; null when it is the whole cell.</param>
internal sealed class CellException(string message, int? line = null) : Exception(message)
{
    public int? Line { get; } = line;
}
