using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Between an <see cref="Int8Product"/> and the plain tensors of its state, those of a <see cref="QuantizedLinear"/>.</summary>
internal static class Int8ProductState
{
    /// <summary>Packs the part of that name.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    public static Int8Product Import(IReadOnlyDictionary<string, Tensor> state, string part, string path)
    {
        var own = StateParts.Of(state, part);
        var name = PackedState.Join(path, part);
        var weight = QuantizedWeight.Import(own, name, dimensions: 2);
        var packed = QuantizedWeight.Packing(name, () => PackedWeights.Pack(weight.Codes, (int)weight.Shape[0], (int)weight.Shape[1], weight.Scales, weight.ZeroPoints));
        return new Int8Product(packed, weight.Bias, OutputState.Import(own, name));
    }

    /// <summary>Adds the plain tensors of a part.</summary>
    public static void Export(List<KeyValuePair<string, Tensor>> state, string part, Int8Product product)
    {
        var own = new List<KeyValuePair<string, Tensor>>();
        OutputState.Export(own, product.Output);
        var codes = new sbyte[(long)product.Weights.OutFeatures * product.Weights.InFeatures];
        product.Weights.Unpack(codes);
        new QuantizedWeight(codes, [product.Weights.OutFeatures, product.Weights.InFeatures], product.Weights.Scales.ToArray(), QuantizedWeight.Stored(product.Weights.ZeroPoints), product.Bias).Export(own);
        StateParts.Add(state, part, own);
    }

    /// <summary>Bytes of the plain tensors.</summary>
    public static long Bytes(Int8Product product) =>
        OutputState.Bytes + QuantizedWeight.BytesOf((long)product.Weights.OutFeatures * product.Weights.InFeatures, product.Weights.Scales.Length, product.Weights.ZeroPoints, product.Bias);
}
