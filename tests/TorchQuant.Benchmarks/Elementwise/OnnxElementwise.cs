using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Elementwise;

/// <summary>ONNX Runtime's elementwise operations; the second operand is a constant, so that a model has one input.</summary>
internal static class OnnxElementwise
{
    public static IContender Int8(ElementwiseData data, int threads) => data.Operation.Kind switch
    {
        OperationKind.Quantize => Contender<float, byte>("onnxruntime int8", Side.Int8Peer, threads, data, data.FloatA, (g, o) => g.Node(o, ["x", .. Params(g, "y", data.Operation.Output)], "y"), data.CheckCodes),
        OperationKind.Dequantize => Contender<byte, float>("onnxruntime int8", Side.Int8Peer, threads, data, data.A, (g, o) => g.Node(o, ["x", .. Params(g, "x", Operation.First)], "y"), data.CheckFloats),
        OperationKind.Single => Contender<byte, byte>(
            "onnxruntime int8", Side.Int8Peer, threads, data, data.A, (g, o) => g.Node(o, ["x", .. Params(g, "x", Operation.First), .. Params(g, "y", data.Operation.Output)], "y", OnnxGraph.Microsoft), data.CheckCodes),
        _ => Contender<byte, byte>(
            "onnxruntime int8",
            Side.Int8Peer,
            threads,
            data,
            data.A,
            (g, o) => g.Node(o, ["x", .. Params(g, "x", Operation.First), g.Constant<byte>("b", data.B, data.Length), .. Params(g, "b", Operation.Second), .. Params(g, "y", data.Operation.Output)], "y", OnnxGraph.Microsoft),
            data.CheckCodes),
    };

    public static IContender Float(ElementwiseData data, int threads) => Contender<float, float>(
        "onnxruntime float",
        Side.FloatPeer,
        threads,
        data,
        data.FloatA,
        (g, _) => g.Node(data.Operation.OnnxFloat!, data.Operation.Kind == OperationKind.Pair ? ["x", g.Constant<float>("b", data.FloatB, data.Length)] : ["x"], "y"),
        data.CheckFloats);

    private delegate Agreement Comparison<T>(string name, ReadOnlySpan<T> found);

    private static OnnxContender<TIn, TOut> Contender<TIn, TOut>(string name, Side side, int threads, ElementwiseData data, TIn[] x, Action<OnnxGraph, string> add, Comparison<TOut> check)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var graph = new OnnxGraph();
        graph.Input<TIn>("x", data.Length);
        graph.Output<TOut>("y", data.Length);
        add(graph, data.Operation.OnnxInt8!);
        return new OnnxContender<TIn, TOut>(name, side, threads, graph, x, [data.Length], [data.Length], (who, y) => check(who, y));
    }

    private static string[] Params(OnnxGraph graph, string name, QParams qparams) => [graph.Scalar($"{name}_scale", qparams.Scale), graph.Scalar($"{name}_zero_point", (byte)qparams.ZeroPoint)];
}
