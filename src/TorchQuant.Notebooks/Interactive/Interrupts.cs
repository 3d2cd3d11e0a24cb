using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace TorchQuant.Notebooks.Interactive;

/// <summary>What the loops and functions of cells ask, so that an interrupt stops them where it does no harm, and a recursion without end is an error and not the end of the process. The host writes the question into them; not for use in notebooks.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Interrupts
{
    private static volatile bool s_requested;

    /// <summary>Goes on, unless the cell was interrupted.</summary>
    /// <exception cref="OperationCanceledException">It was.</exception>
    public static void Check()
    {
        if (s_requested) Throw();
    }

    /// <summary>Goes on, unless the cell was interrupted or the stack is nearly used up.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    /// <exception cref="InsufficientExecutionStackException">Functions call each other too deep.</exception>
    public static void Enter()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (s_requested) Throw();
    }

    internal static void Request(bool stop) => s_requested = stop;

    private static void Throw() => throw new OperationCanceledException("The cell was interrupted.");
}
