using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The language model with the sizes of PyTorch's tutorial: 33,278 words, 512 numbers for each, five layers of 256.</summary>
internal static class LanguageMatches
{
    private const int Steps = 35;

    public static IEnumerable<Match> All(bool quick)
    {
        manual_seed(1);
        var model = quick ? new LanguageModel(100, 64, 32, 2) : new LanguageModel(33_278, 512, 256, 5);
        model.eval();
        nn.Module<Tensor, Tensor> int8 = quantization.quantize_dynamic(model, [typeof(LSTM), typeof(Linear)]);
        foreach (int batch in quick ? [2] : (int[])[1, 20])
        {
            var data = new Lazy<LanguageData>(() => new LanguageData(model, int8, batch, quick ? 3 : Steps));
            var shape = model.Shape with { Batch = batch, Steps = quick ? 3 : Steps };
            double adds = shape.MultiplyAdds + (double)shape.Steps * batch * shape.Hidden * model.Words, decoder = (double)model.Words * shape.Hidden, scores = 4.0 * shape.Steps * batch * model.Words;
            yield return new Match("models", $"LSTM language model B{batch} T{shape.Steps}", adds, shape.Bytes + decoder + scores, shape.WeightBytes + decoder + scores, threads => Contenders(data.Value, threads));
        }
    }

    private static IEnumerable<Func<IContender>> Contenders(LanguageData data, int threads)
    {
        yield return () => new ModelContender(data.Int8, data.WordTensor(), threads, (name, scores) => Scores.Check(name, Side.Ours, data.Expected, scores));
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchLanguage.Int8(data, threads, name, engine);
        yield return () => OnnxLanguage.Int8(data, threads);
        yield return () => TorchLanguage.Float(data, threads);
        yield return () => OnnxLanguage.Float(data, threads);
    }
}
