using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The work of one row of a matrix, written once for every vector width.</summary>
internal interface IRowBody
{
    /// <summary>Does one row. No row may depend on another.</summary>
    void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>;
}

/// <summary>A row's work with the number of rows, shared among threads where that pays.</summary>
internal readonly unsafe struct RowLoop<TBody>(TBody body, int rows, int threads, long nanosecondsPerRow) : ILaneWork
    where TBody : unmanaged, IRowBody
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<TLanes, TFloat, TInt>() where TLanes : struct, ILanes<TFloat, TInt>
    {
        TBody state = body;
        WorkerPool.Run(rows, threads, &RunRow<TLanes, TFloat, TInt>, &state, rows * nanosecondsPerRow);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRow<TLanes, TFloat, TInt>(void* state, int row) where TLanes : struct, ILanes<TFloat, TInt> => ((TBody*)state)->Row<TLanes, TFloat, TInt>(row);
}
