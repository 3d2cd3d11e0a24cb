using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The language model on word numbers: TorchQuant's int8 model, the weights in int8 for the peers, and the scores of the float model.</summary>
internal sealed class LanguageData
{
    public LanguageData(LanguageModel model, nn.Module<Tensor, Tensor> int8, int batch, int steps)
    {
        (Model, Int8, Batch, Steps) = (model, int8, batch, steps);
        var random = new Random(1);
        Words = [.. Enumerable.Range(0, steps * batch).Select(_ => (long)random.Next(model.Words))];
        Shape = model.Shape with { Batch = batch, Steps = steps };
        Cells =
        [
            .. Enumerable.Range(0, Shape.Layers).Select(layer =>
            {
                (float[] input, float[] hidden, float[] inputBias, float[] hiddenBias) = model.Layer(layer);
                (sbyte[] inputCodes, float inputScale) = SymmetricWeights.PerTensor(input);
                (sbyte[] hiddenCodes, float hiddenScale) = SymmetricWeights.PerTensor(hidden);
                return new CellData(inputCodes, inputScale, hiddenCodes, hiddenScale, inputBias, hiddenBias);
            }),
        ];
        (float[] decoder, float[] bias) = model.Decoder;
        (sbyte[] codes, float[] scales) = SymmetricWeights.PerChannel(decoder, model.Words);
        Decoder = new LayerWeights(codes, [model.Words, Shape.Hidden], scales, bias);
        using Tensor input = WordTensor(), scores = model.call(input);
        Expected = scores.data<float>().ToArray();
    }

    public LanguageModel Model { get; }

    public nn.Module<Tensor, Tensor> Int8 { get; }

    public int Batch { get; }

    public int Steps { get; }

    public RecurrentCase Shape { get; }

    /// <summary>[steps, batch].</summary>
    public long[] Words { get; }

    public IReadOnlyList<CellData> Cells { get; }

    public LayerWeights Decoder { get; }

    /// <summary>[steps, batch, words].</summary>
    public float[] Expected { get; }

    public double MultiplyAdds => Shape.MultiplyAdds + (double)Steps * Batch * Shape.Hidden * Model.Words;

    public Tensor WordTensor() => tensor(Words).reshape(Steps, Batch);
}
