using TorchQuant.Benchmarks.Data;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>An encoder layer on random inputs: TorchQuant's int8 module, the weights in int8 for the peers, and the outputs of the float module.</summary>
internal sealed class EncoderData
{
    public EncoderData(EncoderLayer model, nn.Module<Tensor, Tensor> int8, int batch, int steps)
    {
        (Model, Int8, Batch, Steps) = (model, int8, batch, steps);
        X = Draw.Floats(batch * steps * model.Width, 2, new Random(1));
        Layers = EncoderLayer.LinearNames.ToDictionary(name => name, name =>
        {
            (float[] weights, float[] bias) = model.Linear(name);
            (sbyte[] codes, float[] scales) = SymmetricWeights.PerChannel(weights, bias.Length);
            return new LayerWeights(codes, [bias.Length, weights.Length / bias.Length], scales, bias);
        });
        using Tensor x = Input(), y = model.call(x);
        Expected = y.contiguous().data<float>().ToArray();
    }

    public EncoderLayer Model { get; }

    public nn.Module<Tensor, Tensor> Int8 { get; }

    public int Batch { get; }

    public int Steps { get; }

    /// <summary>[batch, steps, width].</summary>
    public float[] X { get; }

    public IReadOnlyDictionary<string, LayerWeights> Layers { get; }

    public float[] Expected { get; }

    public Tensor Input() => tensor(X).reshape(Batch, Steps, Model.Width);
}
