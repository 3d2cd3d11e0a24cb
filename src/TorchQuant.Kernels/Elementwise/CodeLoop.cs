using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The body of a loop whose every element is a code, written once for every vector width.</summary>
internal interface ICodeLoop
{
    /// <summary>The codes, within 0..255, of the elements <paramref name="i"/> to i + TLanes.Count - 1. No element may depend on another.</summary>
    TInt At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt>;
}

/// <summary>A loop body with where its codes go and how many there are: four vectors at a time, then single ones, and one by one what they leave over.</summary>
internal readonly unsafe struct CodeLoop<TBody>(TBody body, byte* target, nint count)
    where TBody : struct, ICodeLoop
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<TLanes, TFloat, TInt>() where TLanes : struct, ILanes<TFloat, TInt>
    {
        nint i = 0;
        for (; i <= count - 4 * TLanes.Count; i += 4 * TLanes.Count)
        {
            TInt first = body.At<TLanes, TFloat, TInt>(i), second = body.At<TLanes, TFloat, TInt>(i + TLanes.Count);
            TInt third = body.At<TLanes, TFloat, TInt>(i + 2 * TLanes.Count), fourth = body.At<TLanes, TFloat, TInt>(i + 3 * TLanes.Count);
            TLanes.StoreBytes(first, second, third, fourth, target + i);
        }

        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.StoreBytes(body.At<TLanes, TFloat, TInt>(i), target + i);
        for (; i < count; i++)
            ScalarLanes.StoreBytes(body.At<ScalarLanes, float, int>(i), target + i);
    }
}
