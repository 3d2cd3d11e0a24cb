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
            double weights = (double)shape.N * (shape.K + 8);
            yield return new Match("linear", shape.ToString(), shape.MultiplyAdds, weights + (double)shape.M * (shape.K + shape.N), threads => Static(data.Value, threads));
            yield return new Match("linear-dynamic", shape.ToString(), shape.MultiplyAdds, weights + 4.0 * shape.M * (shape.K + shape.N), threads => Dynamic(data.Value, threads));
        }
    }

    private static IEnumerable<Func<IContender>> Static(LinearData data, int threads)
    {
        yield return () => OurLinear.Static(data, threads);
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchLinear.Static(data, threads, name, engine);
        yield return () => OnnxLinear.QLinearMatMul(data, threads);
        yield return () => OnnxLinear.QGemm(data, threads);
        yield return () => TorchLinear.Float(data, threads);
        yield return () => TorchLinear.FloatOneDnn(data, threads);
        yield return () => OnnxLinear.Float(data, threads);
    }

    private static IEnumerable<Func<IContender>> Dynamic(LinearData data, int threads)
    {
        yield return () => OurLinear.Dynamic(data, threads);
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchLinear.Dynamic(data, threads, name, engine);
        yield return () => OnnxLinear.Dynamic(data, threads);
        yield return () => TorchLinear.Float(data, threads);
        yield return () => TorchLinear.FloatOneDnn(data, threads);
        yield return () => OnnxLinear.Float(data, threads);
    }
}
