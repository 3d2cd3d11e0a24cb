using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Elementwise;

/// <summary>The group elementwise: operations that memory limits, on tensors of several sizes.</summary>
internal static class ElementwiseMatches
{
    /// <summary>A small tensor, an activation of ResNet-18 (64 x 56 x 56), a million elements, and what no cache holds.</summary>
    private static readonly int[] s_lengths = [4096, 64 * 56 * 56, 1 << 20, 1 << 24];

    public static IEnumerable<Match> All(bool quick)
    {
        foreach (Operation operation in Operation.All)
        {
            foreach (int length in quick ? [1000] : s_lengths)
            {
                var data = new Lazy<ElementwiseData>(() => new ElementwiseData(operation, length));
                double bytes = (double)length * operation.Kind switch { OperationKind.Pair => 3, OperationKind.Single => 2, _ => 5 };
                yield return new Match("elementwise", $"{operation.Name} {length}", 0, bytes, threads => Contenders(data.Value, threads));
            }
        }
    }

    private static IEnumerable<Func<IContender>> Contenders(ElementwiseData data, int threads)
    {
        yield return () => OurElementwise.Create(data, threads);
        yield return () => TorchElementwise.Int8(data, threads);
        if (data.Operation.OnnxInt8 is not null)
            yield return () => OnnxElementwise.Int8(data, threads);
        if (data.Operation.TorchFloat is not null)
            yield return () => TorchElementwise.Float(data, threads);
        if (data.Operation.OnnxFloat is not null)
            yield return () => OnnxElementwise.Float(data, threads);
    }
}
