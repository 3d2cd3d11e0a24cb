namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// The session that <c>display</c> and <c>GetInputAsync</c> speak to. One per process: the console is one, the formatters' registry is one, and torch's state is one,
/// so several notebooks run in several processes.
/// </summary>
internal static class SessionTarget
{
    private static volatile ICellOutput? s_output;
    private static volatile ICellInput? s_input;

    public static ICellOutput Output => s_output
        ?? throw new InvalidOperationException("display was called outside a running notebook. Call it from a cell.");

    public static ICellInput Input => s_input
        ?? throw new InvalidOperationException("Nobody can be asked for input: this notebook runs without a front end. Make it a parameter of the notebook.");

    public static void Set(ICellOutput? output, ICellInput? input) => (s_output, s_input) = (output, input);
}
