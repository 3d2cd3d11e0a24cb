using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The int8 weights of a converted layer, as its state has them.</summary>
/// <param name="Codes">In PyTorch's order.</param>
/// <param name="Shape">[out, in / groups, kernel, kernel] or [out, in].</param>
/// <param name="Scales">One for each output.</param>
/// <param name="Bias">One for each output.</param>
internal sealed record LayerWeights(sbyte[] Codes, long[] Shape, float[] Scales, float[] Bias)
{
    public int Outputs => (int)Shape[0];

    /// <summary>The real numbers.</summary>
    public float[] Floats
    {
        get
        {
            int row = Codes.Length / Outputs;
            return [.. Codes.Select((code, i) => Scales[i / row] * code)];
        }
    }

    /// <summary>Reads a quantized layer with symmetric weights.</summary>
    public static LayerWeights Of(IQuantizedModule layer)
    {
        Dictionary<string, Tensor> state = layer.ExportState().ToDictionary();
        if (state.ContainsKey("weight_zero_point"))
            throw new NotSupportedException($"{layer.Path} has weights with zero points; expected symmetric ones, which all peers compute.");
        Tensor weight = state["weight"];
        float[] scales = state["weight_scale"].data<float>().ToArray();
        int outputs = (int)weight.shape[0];
        return new LayerWeights(
            weight.data<sbyte>().ToArray(),
            weight.shape,
            scales.Length == 1 ? [.. Enumerable.Repeat(scales[0], outputs)] : scales,
            state.TryGetValue("bias", out Tensor? bias) ? bias.data<float>().ToArray() : new float[outputs]);
    }

    /// <summary>The bias in int32, as ONNX has it: round(bias / (input scale * weight scale)).</summary>
    public int[] IntegerBias(float inputScale) => [.. Bias.Select((b, i) => (int)Math.Round(b / ((double)inputScale * Scales[i])))];
}
