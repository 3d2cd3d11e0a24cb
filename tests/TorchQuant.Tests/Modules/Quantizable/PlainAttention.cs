using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

/// <summary>A quantized attention as plain steps of dequantize, float operation, quantize, from its exported state.</summary>
internal static class PlainAttention
{
    public static (Tensor Output, Tensor Weights) Of(IReadOnlyDictionary<string, Tensor> state, AttentionCase inputs, Tensor query, Tensor key, Tensor value)
    {
        Tensor Quantized(Tensor values, string part) => quantize_per_tensor(values, state[$"{part}.scale"].item<float>(), state[$"{part}.zero_point"].item<int>(), ScalarType.QUInt8).dequantize();
        Tensor Linear(Tensor x, string part)
        {
            var weight = state[$"{part}.weight"].to(ScalarType.Float64) * state[$"{part}.weight_scale"].to(ScalarType.Float64).unsqueeze(1);
            return Quantized(nn.functional.linear(x.to(ScalarType.Float64), weight, state.GetValueOrDefault($"{part}.bias")?.to(ScalarType.Float64)).to(ScalarType.Float32), part);
        }

        var headSize = inputs.Embedding / inputs.Heads;
        var q = quantize_per_tensor(Linear(query, "linear_Q"), state["linear_Q.scale"].item<float>(), state["linear_Q.zero_point"].item<int>(), ScalarType.QUInt8);
        var scaled = (q.int_repr().to(ScalarType.Float32) - state["linear_Q.zero_point"].item<int>()) * (float)(state["linear_Q.scale"].item<float>() * Math.Pow(headSize, -0.5));
        var (k, v) = (Linear(key, "linear_K"), Linear(value, "linear_V"));
        if (inputs.AddBiasKv)
            (k, v) = (cat([k, Bias("bias_k", "linear_K")]), cat([v, Bias("bias_v", "linear_V")]));
        if (inputs.AddZeroAttn)
            (k, v) = (cat([k, zeros(1, inputs.Batch, inputs.Embedding)]), cat([v, zeros(1, inputs.Batch, inputs.Embedding)]));

        var rows = new List<Tensor>();
        var allWeights = new List<Tensor>();
        for (var sample = 0; sample < inputs.Batch; sample++)
        {
            var heads = new List<Tensor>();
            for (var head = 0; head < inputs.Heads; head++)
            {
                Tensor Own(Tensor x) => x[.., sample].narrow(-1, head * headSize, headSize).contiguous();
                var scores = Own(scaled).matmul(Own(k).t());
                var mask = inputs.Mask();
                if (mask is not null && mask.dim() == 3)
                    mask = mask[sample * inputs.Heads + head];
                if (mask is not null)
                    scores[.., ..inputs.Keys] = scores[.., ..inputs.Keys] + mask;
                if (inputs.Padding() is { } padding)
                    scores[.., ..inputs.Keys] = scores[.., ..inputs.Keys].masked_fill(padding[sample].unsqueeze(0), double.NegativeInfinity);
                var weights = scores.softmax(-1);
                allWeights.Add(weights);
                heads.Add(weights.matmul(Own(v)));
            }

            rows.Add(cat([.. heads], -1));
        }

        var stacked = stack([.. allWeights]).view(inputs.Batch, inputs.Heads, inputs.Queries, -1);
        return (Linear(Quantized(stack([.. rows], 1), "quant_attn_output"), "out_proj"), Mean(Quantized(stacked, "quant_attn_output_weights"), state));

        Tensor Bias(string name, string joined)
        {
            var bias = state[name];
            var (min, max) = (Math.Min(0, bias.min().item<float>()), Math.Max(0, bias.max().item<float>()));
            var own = TorchQuant.Kernels.QParamsChooser.ForDynamic(min, max);
            return Quantized(quantize_per_tensor(bias, own.Scale, own.ZeroPoint, ScalarType.QUInt8).dequantize(), joined).expand(1, inputs.Batch, inputs.Embedding);
        }
    }

    /// <summary>The mean over the heads has the scale of the weights.</summary>
    private static Tensor Mean(Tensor weights, IReadOnlyDictionary<string, Tensor> state) =>
        quantize_per_tensor(weights.mean([1]), state["quant_attn_output_weights.scale"].item<float>(), state["quant_attn_output_weights.zero_point"].item<int>(), ScalarType.QUInt8).dequantize();
}
