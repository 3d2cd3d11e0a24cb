using static TorchSharp.torch;

namespace TorchQuant.Tests.Fusion;

/// <summary>Counts the tensors of the process; only for tests that run alone.</summary>
internal static class TensorsLeft
{
    /// <summary>How many tensors more there are after 100 times; TorchSharp's count drifts by itself, so it is to be compared.</summary>
    public static long By(Action action)
    {
        action();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 100; i++) action();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount - before;
    }
}
