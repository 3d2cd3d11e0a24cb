using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>The groups lstm and gru: dynamic quantization, float in and out, states zero at first.</summary>
internal static class RecurrentMatches
{
    public static IEnumerable<Match> Lstm(bool quick) => All("lstm", RecurrentCase.Lstm, quick);

    public static IEnumerable<Match> Gru(bool quick) => All("gru", RecurrentCase.Gru, quick);

    private static IEnumerable<Match> All(string group, int gates, bool quick)
    {
        foreach (RecurrentCase shape in RecurrentCase.All(gates, quick))
        {
            var data = new Lazy<RecurrentData>(() => new RecurrentData(shape));
            yield return new Match(group, shape.ToString(), shape.MultiplyAdds, shape.Bytes, shape.WeightBytes, threads => Contenders(data.Value, threads));
        }
    }

    private static IEnumerable<Func<IContender>> Contenders(RecurrentData data, int threads)
    {
        yield return () => OurRecurrent.Create(data, threads);
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchRecurrent.Int8(data, threads, name, engine);
        if (data.Shape.Gates == RecurrentCase.Lstm)
            yield return () => OnnxRecurrent.Int8Lstm(data, threads);
        yield return () => TorchRecurrent.Float(data, threads);
        yield return () => OnnxRecurrent.Float(data, threads);
    }
}
