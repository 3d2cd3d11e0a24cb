namespace TorchQuant.Notebooks.Engine;

/// <summary>How a cell ended.</summary>
internal enum CellStatus
{
    Succeeded,
    Failed,

    /// <summary>The cell was interrupted. What it declared until then stays.</summary>
    Stopped,
}

/// <summary>How a cell ended, why when it failed, and its wall time.</summary>
internal sealed record CellResult(CellStatus Status, CellError? Error, TimeSpan Duration);
