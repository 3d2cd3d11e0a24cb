namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// The session that <c>display</c> speaks to. One per process: the console is one, the formatters' registry is one, and torch's state is one,
/// so several notebooks run in several processes.
/// </summary>
internal static class DisplayTarget
{
    private static volatile ICellOutput? s_current;

    public static ICellOutput Required => s_current
        ?? throw new InvalidOperationException("display was called outside a running notebook. Call it from a cell.");

    public static void Set(ICellOutput? output) => s_current = output;
}
