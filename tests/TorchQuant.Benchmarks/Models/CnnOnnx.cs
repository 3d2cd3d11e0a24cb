using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Models;

/// <summary>Writes a plan as an ONNX model, a node or two for each step: float, and int8 with the operators QLinearConv, QLinearAdd, QGemm (ONNX Runtime moves the channels last itself).</summary>
internal static class CnnOnnx
{
    public static OnnxGraph Float(CnnPlan plan, int batch)
    {
        OnnxGraph graph = Graph(plan, batch);
        foreach (CnnStep step in plan.Steps)
        {
            switch (step)
            {
                case QuantizeStep or DequantizeStep:
                    graph.Node("Identity", [step is QuantizeStep q ? q.Input : ((DequantizeStep)step).Input], step.Output);
                    break;
                case ConvStep s:
                    string sums = s.Relu == ReluKind.None ? s.Output : $"{s.Output}_sums";
                    graph.Node("Conv", [s.Input, .. FloatWeights(graph, s.Output, s.Weights)], sums, "", Attributes(s));
                    if (s.Relu == ReluKind.Relu)
                        graph.Node("Relu", [sums], s.Output);
                    else if (s.Relu == ReluKind.Relu6)
                        graph.Node("Clip", [sums, graph.Scalar($"{s.Output}_low", 0f), graph.Scalar($"{s.Output}_high", 6f)], s.Output);
                    break;
                case AddStep s:
                    graph.Node("Add", [s.Left, s.Right], s.Relu ? $"{s.Output}_sum" : s.Output);
                    if (s.Relu)
                        graph.Node("Relu", [$"{s.Output}_sum"], s.Output);
                    break;
                case AveragePoolStep s:
                    graph.Node("Flatten", [graph.Node("GlobalAveragePool", [s.Input], $"{s.Output}_pooled")], s.Output);
                    break;
                case LinearStep s:
                    graph.Node("Gemm", [s.Input, .. FloatWeights(graph, s.Output, s.Weights)], s.Output, "", ("transB", 1L));
                    break;
                case MaxPoolStep s:
                    MaxPool(graph, s);
                    break;
            }
        }

        return graph;
    }

    public static OnnxGraph Int8(CnnPlan plan, int batch)
    {
        OnnxGraph graph = Graph(plan, batch);
        foreach (CnnStep step in plan.Steps)
        {
            switch (step)
            {
                case QuantizeStep s:
                    graph.Node("QuantizeLinear", [s.Input, .. Params(graph, s.Output, s.Codes)], s.Output);
                    break;
                case DequantizeStep s:
                    graph.Node("DequantizeLinear", [s.Input, .. Params(graph, s.Output, s.Codes)], s.Output);
                    break;
                case ConvStep s:
                    graph.Node(
                        "QLinearConv",
                        [s.Input, .. Params(graph, $"{s.Output}_in", s.InputCodes), .. Weights(graph, s.Output, s.Weights), .. Params(graph, s.Output, s.Codes), Bias(graph, s.Output, s.Weights, s.InputCodes)],
                        s.Output,
                        "",
                        Attributes(s));
                    break;
                case AddStep s:
                    // The zero point is 0 after a ReLU, so the codes' range is the ReLU.
                    string[] left = [s.Left, .. Params(graph, $"{s.Output}_left", s.LeftCodes)], right = [s.Right, .. Params(graph, $"{s.Output}_right", s.RightCodes)];
                    graph.Node("QLinearAdd", [.. left, .. right, .. Params(graph, s.Output, s.Codes)], s.Output, OnnxGraph.Microsoft);
                    break;
                case AveragePoolStep s:
                    string[] codes = Params(graph, s.Output, s.Codes);
                    graph.Node("Flatten", [graph.Node("QLinearGlobalAveragePool", [s.Input, .. codes, .. codes], $"{s.Output}_pooled", OnnxGraph.Microsoft, ("channels_last", 0L))], s.Output);
                    break;
                case LinearStep s:
                    graph.Node(
                        "QGemm",
                        [s.Input, .. Params(graph, $"{s.Output}_in", s.InputCodes), .. Weights(graph, s.Output, s.Weights), Bias(graph, s.Output, s.Weights, s.InputCodes), .. Params(graph, s.Output, s.Codes)],
                        s.Output,
                        OnnxGraph.Microsoft,
                        ("transB", 1L));
                    break;
                case MaxPoolStep s:
                    MaxPool(graph, s);
                    break;
            }
        }

        return graph;
    }

    private static OnnxGraph Graph(CnnPlan plan, int batch)
    {
        var graph = new OnnxGraph();
        graph.Input<float>("x", batch, 3, plan.ImageSize, plan.ImageSize);
        graph.Output<float>("y", batch, plan.Classes);
        return graph;
    }

    private static void MaxPool(OnnxGraph graph, MaxPoolStep s) =>
        graph.Node("MaxPool", [s.Input], s.Output, "", ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }), ("pads", new long[] { 1, 1, 1, 1 }));

    private static string[] Params(OnnxGraph graph, string name, QParams qparams) => [graph.Scalar($"{name}_scale", qparams.Scale), graph.Scalar($"{name}_zero_point", (byte)qparams.ZeroPoint)];

    private static string[] FloatWeights(OnnxGraph graph, string name, LayerWeights weights) =>
        [graph.Constant<float>($"{name}_w", weights.Floats, weights.Shape), graph.Constant<float>($"{name}_b", weights.Bias, weights.Outputs)];

    private static string Bias(OnnxGraph graph, string name, LayerWeights weights, QParams input) => graph.Constant<int>($"{name}_b", weights.IntegerBias(input.Scale), weights.Outputs);

    private static string[] Weights(OnnxGraph graph, string name, LayerWeights weights) =>
    [
        graph.Constant<sbyte>($"{name}_w", weights.Codes, weights.Shape),
        graph.Constant<float>($"{name}_ws", weights.Scales, weights.Outputs),
        graph.Constant<sbyte>($"{name}_wz", new sbyte[weights.Outputs], weights.Outputs),
    ];

    private static OnnxAttribute[] Attributes(ConvStep s) =>
    [
        ("kernel_shape", new[] { s.Weights.Shape[2], s.Weights.Shape[3] }),
        ("strides", new long[] { s.Stride, s.Stride }),
        ("pads", new long[] { s.Padding, s.Padding, s.Padding, s.Padding }),
        ("group", (long)s.Groups),
    ];
}
