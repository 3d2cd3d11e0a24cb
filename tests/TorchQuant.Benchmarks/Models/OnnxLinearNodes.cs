using TorchQuant.Benchmarks.Onnx;

namespace TorchQuant.Benchmarks.Models;

/// <summary>Linear layers inside of an ONNX model, of inputs with any number of dimensions. ONNX's weights are [inputs, outputs].</summary>
internal static class OnnxLinearNodes
{
    public static string Float(OnnxGraph graph, string name, string x, float[] weights, float[] bias, string y)
    {
        graph.Node("MatMul", [x, graph.Constant<float>($"{name}_w", Transposed(weights, bias.Length), weights.Length / bias.Length, bias.Length)], $"{name}_product");
        return graph.Node("Add", [$"{name}_product", graph.Constant<float>($"{name}_b", bias, bias.Length)], y);
    }

    public static string Dynamic(OnnxGraph graph, string name, string x, LayerWeights weights, string y) => graph.Node(
        "DynamicQuantizeMatMul",
        [
            x,
            graph.Constant<sbyte>($"{name}_w", Transposed(weights.Codes, weights.Outputs), weights.Codes.Length / weights.Outputs, weights.Outputs),
            graph.Constant<float>($"{name}_ws", weights.Scales, weights.Outputs),
            graph.Constant<sbyte>($"{name}_wz", new sbyte[weights.Outputs], weights.Outputs),
            graph.Constant<float>($"{name}_b", weights.Bias, weights.Outputs),
        ],
        y,
        OnnxGraph.Microsoft);

    private static T[] Transposed<T>(T[] weights, int outputs)
    {
        int inputs = weights.Length / outputs;
        var transposed = new T[weights.Length];
        for (int o = 0; o < outputs; o++)
        {
            for (int i = 0; i < inputs; i++)
                transposed[i * outputs + o] = weights[o * inputs + i];
        }

        return transposed;
    }
}
