using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>An encoder layer with the sizes of BERT base: width 768, 12 heads, 3072 inside; its linear layers in dynamic int8.</summary>
internal static class EncoderMatches
{
    public static IEnumerable<Match> All(bool quick)
    {
        manual_seed(1);
        var model = quick ? new EncoderLayer(64, 4, 128) : new EncoderLayer(768, 12, 3072);
        model.eval();
        nn.Module<Tensor, Tensor> int8 = quantization.quantize_dynamic(model, [typeof(Linear)]);
        int steps = quick ? 5 : 128;
        foreach (int batch in quick ? [2] : (int[])[1, 8])
        {
            var data = new Lazy<EncoderData>(() => new EncoderData(model, int8, batch, steps));
            double weights = 4.0 * model.Width * model.Width + 2.0 * model.Width * model.Inner, rows = (double)batch * steps, attention = 2.0 * rows * steps * model.Width;
            yield return new Match("models", $"BERT encoder layer B{batch} T{steps}", rows * weights + attention, weights + 8 * rows * model.Width, threads => Contenders(data.Value, threads));
        }
    }

    private static IEnumerable<Func<IContender>> Contenders(EncoderData data, int threads)
    {
        yield return () => new ModelContender(data.Int8, data.Input(), threads, (name, y) => Scores.Check(name, Side.Ours, data.Expected, y));
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchEncoder.Int8(data, threads, name, engine);
        yield return () => OnnxEncoder.Int8(data, threads);
        yield return () => TorchEncoder.Float(data, threads);
        yield return () => TorchEncoder.FloatOneDnn(data, threads);
        yield return () => OnnxEncoder.Float(data, threads);
    }
}
