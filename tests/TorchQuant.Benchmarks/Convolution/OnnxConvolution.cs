using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Convolution;

/// <summary>ONNX Runtime's convolutions: float (it moves the data to its own blocked layout itself), int8 in both layouts.</summary>
internal static class OnnxConvolution
{
    public static IContender Float(ConvData data, int threads)
    {
        ConvShape s = data.Shape;
        OnnxGraph graph = Graph<float>(ChannelsFirst(s.In, s.Size, s), ChannelsFirst(s.Out, s.OutSize, s));
        string weights = graph.Constant<float>("w", data.FloatWeights(), s.Out, s.InPerGroup, s.Kernel, s.Kernel);
        graph.Node("Conv", ["x", weights, graph.Constant<float>("b", data.Bias, s.Out)], "t", attributes: Attributes(s));
        graph.Node("Relu", ["t"], "y");
        return new OnnxContender<float, float>(
            "onnxruntime float", Side.FloatPeer, threads, graph, ConvData.ToChannelsFirst(data.X(), s.Batch, s.Size, s.In), ChannelsFirst(s.In, s.Size, s), ChannelsFirst(s.Out, s.OutSize, s),
            (name, y) => Agreement.OfFloats(name, data.ExpectedFloats, data.AtChannelsFirst<float>(y), data.FloatTolerance));
    }

    /// <summary>The standard operator.</summary>
    public static IContender Nchw(ConvData data, int threads)
    {
        ConvShape s = data.Shape;
        OnnxGraph graph = Graph<byte>(ChannelsFirst(s.In, s.Size, s), ChannelsFirst(s.Out, s.OutSize, s));
        graph.Node("QLinearConv", Inputs(graph, data), "y", attributes: Attributes(s));
        return new OnnxContender<byte, byte>(
            "onnxruntime int8 nchw", Side.Int8Peer, threads, graph, ConvData.ToChannelsFirst(data.Codes, s.Batch, s.Size, s.In), ChannelsFirst(s.In, s.Size, s), ChannelsFirst(s.Out, s.OutSize, s),
            (name, y) => Agreement.OfCodes(name, data.ExpectedCodes, data.AtChannelsFirst<byte>(y), allowed: 1));
    }

    /// <summary>Its own operator with channels last, which its optimizer puts in the place of the standard one inside of models.</summary>
    public static IContender Nhwc(ConvData data, int threads)
    {
        ConvShape s = data.Shape;
        OnnxGraph graph = Graph<byte>(ChannelsLast(s.In, s.Size, s), ChannelsLast(s.Out, s.OutSize, s));
        graph.Node("QLinearConv", Inputs(graph, data), "y", OnnxGraph.Microsoft, [.. Attributes(s), ("channels_last", 1L)]);
        return new OnnxContender<byte, byte>(
            "onnxruntime int8 nhwc", Side.Int8Peer, threads, graph, data.Codes, ChannelsLast(s.In, s.Size, s), ChannelsLast(s.Out, s.OutSize, s),
            (name, y) => Agreement.OfCodes(name, data.ExpectedCodes, data.AtChannelsLast<byte>(y), allowed: 1));
    }

    private static OnnxGraph Graph<T>(long[] input, long[] output) where T : unmanaged
    {
        var graph = new OnnxGraph();
        graph.Input<T>("x", input);
        graph.Output<T>("y", output);
        return graph;
    }

    private static string[] Inputs(OnnxGraph graph, ConvData data)
    {
        ConvShape s = data.Shape;
        int[] bias = [.. data.Bias.Select((b, n) => (int)Math.Round(b / ((double)Draw.Activations.Scale * data.Scales[n])))];
        return
        [
            "x",
            graph.Scalar("sx", Draw.Activations.Scale),
            graph.Scalar("zx", (byte)Draw.Activations.ZeroPoint),
            graph.Constant<sbyte>("w", data.Weights, s.Out, s.InPerGroup, s.Kernel, s.Kernel),
            graph.Constant<float>("ws", data.Scales, s.Out),
            graph.Constant<sbyte>("wz", new sbyte[s.Out], s.Out),
            graph.Scalar("sy", data.Output.Scale),
            graph.Scalar("zy", (byte)data.Output.ZeroPoint),
            graph.Constant<int>("b", bias, s.Out),
        ];
    }

    private static OnnxAttribute[] Attributes(ConvShape s) =>
    [
        ("kernel_shape", new long[] { s.Kernel, s.Kernel }),
        ("strides", new long[] { s.Stride, s.Stride }),
        ("pads", new long[] { s.Padding, s.Padding, s.Padding, s.Padding }),
        ("group", (long)s.Groups),
    ];

    private static long[] ChannelsFirst(int channels, int size, ConvShape s) => [s.Batch, channels, size, size];

    private static long[] ChannelsLast(int channels, int size, ConvShape s) => [s.Batch, size, size, channels];
}
