using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.LinearLayers;

/// <summary>ONNX Runtime's linear layers; its weights are [K, N].</summary>
internal static class OnnxLinear
{
    public static IContender Float(LinearData data, int threads)
    {
        LinearShape shape = data.Shape;
        OnnxGraph graph = Graph<float, float>(shape);
        graph.Node("Gemm", ["x", graph.Constant<float>("w", Transposed(data.FloatWeights, shape), shape.K, shape.N), graph.Constant<float>("b", data.Bias, shape.N)], "y");
        return Contender<float, float>("onnxruntime float", Side.FloatPeer, threads, graph, data.X, shape, (name, y) => Agreement.OfFloats(name, data.ExpectedFloats, data.At<float>(y), data.FloatTolerance));
    }

    /// <summary>The standard operator, which has no bias.</summary>
    public static IContender QLinearMatMul(LinearData data, int threads)
    {
        OnnxGraph graph = Graph<byte, byte>(data.Shape);
        graph.Node("QLinearMatMul", ["x", .. InputParams(graph), .. Weights(graph, data), .. OutputParams(graph, data)], "y");
        return Contender<byte, byte>("onnxruntime int8 QLinearMatMul", Side.Int8Peer, threads, graph, data.Codes, data.Shape, (name, y) => Agreement.OfCodes(name, data.ExpectedCodesWithoutBias, data.At<byte>(y), allowed: 1));
    }

    /// <summary>Its own operator, with a bias in int32.</summary>
    public static IContender QGemm(LinearData data, int threads)
    {
        OnnxGraph graph = Graph<byte, byte>(data.Shape);
        int[] bias = [.. data.Bias.Select((b, n) => (int)Math.Round(b / ((double)Draw.Activations.Scale * data.Scales[n])))];
        graph.Node("QGemm", ["x", .. InputParams(graph), .. Weights(graph, data), graph.Constant<int>("b", bias, data.Shape.N), .. OutputParams(graph, data)], "y", OnnxGraph.Microsoft);
        return Contender<byte, byte>("onnxruntime int8 QGemm", Side.Int8Peer, threads, graph, data.Codes, data.Shape, (name, y) => Agreement.OfCodes(name, data.ExpectedCodes, data.At<byte>(y), allowed: 1));
    }

    public static IContender Dynamic(LinearData data, int threads)
    {
        OnnxGraph graph = Graph<float, float>(data.Shape);
        graph.Node("DynamicQuantizeMatMul", ["x", .. Weights(graph, data), graph.Constant<float>("b", data.Bias, data.Shape.N)], "y", OnnxGraph.Microsoft);
        return Contender<float, float>("onnxruntime int8", Side.Int8Peer, threads, graph, data.X, data.Shape, (name, y) => Agreement.OfFloats(name, data.ExpectedFloats, data.At<float>(y), data.DynamicTolerance));
    }

    private static OnnxGraph Graph<TIn, TOut>(LinearShape shape)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var graph = new OnnxGraph();
        graph.Input<TIn>("x", shape.M, shape.K);
        graph.Output<TOut>("y", shape.M, shape.N);
        return graph;
    }

    private static string[] InputParams(OnnxGraph graph) => [graph.Scalar("sx", Draw.Activations.Scale), graph.Scalar("zx", (byte)Draw.Activations.ZeroPoint)];

    private static string[] OutputParams(OnnxGraph graph, LinearData data) => [graph.Scalar("sy", data.Output.Scale), graph.Scalar("zy", (byte)data.Output.ZeroPoint)];

    private static string[] Weights(OnnxGraph graph, LinearData data) =>
    [
        graph.Constant<sbyte>("w", Transposed(data.Weights, data.Shape), data.Shape.K, data.Shape.N),
        graph.Constant<float>("ws", data.Scales, data.Shape.N),
        graph.Constant<sbyte>("wz", new sbyte[data.Shape.N], data.Shape.N),
    ];

    private static T[] Transposed<T>(T[] weights, LinearShape shape)
    {
        var transposed = new T[weights.Length];
        for (int n = 0; n < shape.N; n++)
        {
            for (int k = 0; k < shape.K; k++)
                transposed[k * shape.N + n] = weights[n * shape.K + k];
        }

        return transposed;
    }

    private static OnnxContender<TIn, TOut> Contender<TIn, TOut>(string name, Side side, int threads, OnnxGraph graph, TIn[] x, LinearShape shape, Func<string, TOut[], Agreement> check)
        where TIn : unmanaged
        where TOut : unmanaged =>
        new(name, side, threads, graph, x, [shape.M, shape.K], [shape.M, shape.N], check);
}
