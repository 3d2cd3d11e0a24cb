using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Data;

/// <summary>Float weights in int8 with zero point 0 and the scale max(abs) / 127.5, as PyTorch's symmetric observers choose it.</summary>
internal static class SymmetricWeights
{
    /// <summary>One scale for all.</summary>
    public static (sbyte[] Codes, float Scale) PerTensor(ReadOnlySpan<float> weights)
    {
        (float min, float max) = MinMax.Of(weights);
        float scale = Math.Max(-min, max) / 127.5f;
        sbyte[] codes = new sbyte[weights.Length];
        Quantizer.Quantize(weights, codes, new QParams(scale, 0));
        return (codes, scale);
    }

    /// <summary>One scale for each row of [outputs, inputs].</summary>
    public static (sbyte[] Codes, float[] Scales) PerChannel(ReadOnlySpan<float> weights, int outputs)
    {
        int row = weights.Length / outputs;
        sbyte[] codes = new sbyte[weights.Length];
        float[] scales = new float[outputs];
        for (int o = 0; o < outputs; o++)
        {
            (sbyte[] rowCodes, scales[o]) = PerTensor(weights.Slice(o * row, row));
            rowCodes.CopyTo(codes, o * row);
        }

        return (codes, scales);
    }
}
