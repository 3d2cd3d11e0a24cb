namespace TorchQuant.Notebooks.Engine;

/// <summary>How a cell ended.</summary>
internal enum CellStatus
{
    Succeeded,
    Failed,

    /// <summary>The run was cancelled while the cell was still going. Its code cannot be stopped from outside, so the session is of no more use.</summary>
    Stopped,
}

/// <summary>How a cell ended, why when it failed, and its wall time.</summary>
internal sealed record CellResult(CellStatus Status, CellError? Error, TimeSpan Duration);
