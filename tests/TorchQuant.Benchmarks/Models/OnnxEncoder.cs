using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The encoder layer in ONNX Runtime, with its fused operators for attention, sum with layer norm, and GELU.</summary>
internal static class OnnxEncoder
{
    public static IContender Int8(EncoderData data, int threads) => Create("onnxruntime int8", Side.Int8Peer, data, threads, (g, name, x) => OnnxLinearNodes.Dynamic(g, name, x, data.Layers[name], $"{name}_y"));

    public static IContender Float(EncoderData data, int threads) => Create("onnxruntime float", Side.FloatPeer, data, threads, (g, name, x) =>
    {
        (float[] weights, float[] bias) = data.Model.Linear(name);
        return OnnxLinearNodes.Float(g, name, x, weights, bias, $"{name}_y");
    });

    private static OnnxContender<float, float> Create(string name, Side side, EncoderData data, int threads, Func<OnnxGraph, string, string, string> linear)
    {
        long[] shape = [data.Batch, data.Steps, data.Model.Width];
        var graph = new OnnxGraph();
        graph.Input<float>("x", shape);
        graph.Output<float>("y", shape);
        float[] ones = [.. Enumerable.Repeat(1f, data.Model.Width)];
        string weight = graph.Constant<float>("norm_weight", ones, ones.Length), bias = graph.Constant<float>("norm_bias", new float[ones.Length], ones.Length);
        graph.Node("MultiHeadAttention", [linear(graph, "_query", "x"), linear(graph, "_key", "x"), linear(graph, "_value", "x")], "attended", OnnxGraph.Microsoft, ("num_heads", (long)data.Model.Heads));
        string hidden = Norm(linear(graph, "_output", "attended"), "x", "hidden");
        string inner = graph.Node("Gelu", [linear(graph, "_up", hidden)], "inner", OnnxGraph.Microsoft);
        Norm(linear(graph, "_down", inner), hidden, "y");
        return new OnnxContender<float, float>(name, side, threads, graph, data.X, shape, shape, (who, y) => Scores.Check(who, side, data.Expected, y));

        string Norm(string value, string skip, string output) => graph.Node("SkipLayerNormalization", [value, skip, weight, bias], output, OnnxGraph.Microsoft, ("epsilon", 1e-5f));
    }
}
