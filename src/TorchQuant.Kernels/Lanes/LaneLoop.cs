using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The body of an elementwise loop, written once for every vector width.</summary>
internal interface ILaneLoop
{
    /// <summary>Does the elements <paramref name="i"/> to i + TLanes.Count - 1. No element may depend on another.</summary>
    void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt>;
}

/// <summary>A loop body with its number of elements: whole vectors first, and one by one what they leave over.</summary>
internal readonly struct LaneLoop<TBody>(TBody body, nint count) : ILaneWork
    where TBody : struct, ILaneLoop
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<TLanes, TFloat, TInt>() where TLanes : struct, ILanes<TFloat, TInt>
    {
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            body.At<TLanes, TFloat, TInt>(i);
        for (; i < count; i++)
            body.At<ScalarLanes, float, int>(i);
    }
}
