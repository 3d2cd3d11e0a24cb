using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.LinearLayers;

/// <summary>The group linear: the static layer (codes in, codes out) and the dynamic one (float in, float out).</summary>
internal static class LinearMatches
{
    public static IEnumerable<Match> All(bool quick)
    {
        foreach (LinearShape shape in LinearShape.All(quick))
        {
            var data = new Lazy<LinearData>(() => new LinearData(shape));
            yield return new Match("linear", shape.ToString(), shape.MultiplyAdds, WeightBytes(shape) + (double)shape.M * (shape.K + shape.N), threads => [.. Int8(data.Value, threads), .. Float(data.Value, threads)]);
            yield return new Match("linear-dynamic", shape.ToString(), shape.MultiplyAdds, WeightBytes(shape) + 4.0 * shape.M * (shape.K + shape.N), threads => [.. Dynamic(data.Value, threads), .. Float(data.Value, threads)]);
        }
    }

    /// <summary>The static layer without the float peers.</summary>
    public static Match Int8(LinearShape shape)
    {
        var data = new Lazy<LinearData>(() => new LinearData(shape));
        return new Match("linear", shape.ToString(), shape.MultiplyAdds, WeightBytes(shape) + (double)shape.M * (shape.K + shape.N), threads => Int8(data.Value, threads));
    }

    private static double WeightBytes(LinearShape shape) => (double)shape.N * (shape.K + 8);

    private static IEnumerable<Func<IContender>> Int8(LinearData data, int threads)
    {
        yield return () => OurLinear.Static(data, threads);
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchLinear.Static(data, threads, name, engine);
        yield return () => OnnxLinear.QLinearMatMul(data, threads);
        yield return () => OnnxLinear.QGemm(data, threads);
    }

    private static IEnumerable<Func<IContender>> Dynamic(LinearData data, int threads)
    {
        yield return () => OurLinear.Dynamic(data, threads);
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchLinear.Dynamic(data, threads, name, engine);
        yield return () => OnnxLinear.Dynamic(data, threads);
    }

    private static IEnumerable<Func<IContender>> Float(LinearData data, int threads)
    {
        yield return () => TorchLinear.Float(data, threads);
        yield return () => TorchLinear.FloatOneDnn(data, threads);
        yield return () => OnnxLinear.Float(data, threads);
    }
}
