using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Benchmarks.Recurrent;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The language model in ONNX Runtime.</summary>
internal static class OnnxLanguage
{
    public static IContender Int8(LanguageData data, int threads) => Create("onnxruntime int8", Side.Int8Peer, data, threads, (g, layer, x, y) => OnnxRecurrent.Int8Layer(g, data.Shape, layer, x, y, data.Cells[layer]), (g, x) =>
    {
        LayerWeights weights = data.Decoder;
        OnnxLinearNodes.Dynamic(g, "decoder", x, weights, "y");
    });

    public static IContender Float(LanguageData data, int threads) => Create(
        "onnxruntime float",
        Side.FloatPeer,
        data,
        threads,
        (g, layer, x, y) =>
        {
            (float[] input, float[] hidden, float[] inputBias, float[] hiddenBias) = data.Model.Layer(layer);
            OnnxRecurrent.FloatLayer(g, data.Shape, layer, x, y, input, hidden, inputBias, hiddenBias);
        },
        (g, x) => OnnxLinearNodes.Float(g, "decoder", x, data.Model.Decoder.Weights, data.Decoder.Bias, "y"));

    private static OnnxContender<long, float> Create(string name, Side side, LanguageData data, int threads, Action<OnnxGraph, int, string, string> addLayer, Action<OnnxGraph, string> addDecoder)
    {
        var graph = new OnnxGraph();
        graph.Input<long>("x", data.Steps, data.Batch);
        graph.Output<float>("y", data.Steps, data.Batch, data.Model.Words);
        string x = graph.Node("Gather", [graph.Constant<float>("embedding", data.Model.Embedding, data.Model.Words, data.Shape.Inputs), "x"], "words"), axis = graph.Constant<long>("axis", [1], 1);
        for (int layer = 0; layer < data.Shape.Layers; layer++)
        {
            addLayer(graph, layer, x, $"y{layer}");
            x = graph.Node("Squeeze", [$"y{layer}", axis], $"x{layer + 1}");
        }

        addDecoder(graph, x);
        return new OnnxContender<long, float>(name, side, threads, graph, data.Words, [data.Steps, data.Batch], [data.Steps, data.Batch, data.Model.Words], (who, y) => Scores.Check(who, side, data.Expected, y));
    }
}
