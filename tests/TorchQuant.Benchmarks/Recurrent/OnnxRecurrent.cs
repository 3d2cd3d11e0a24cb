using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>ONNX Runtime's LSTM and GRU in float, and its DynamicQuantizeLSTM; it has no int8 GRU.</summary>
internal static class OnnxRecurrent
{
    /// <summary>Where ONNX's gates are in PyTorch's order: i, o, f, g of i, f, g, o; z, r, n of r, z, n.</summary>
    private static readonly int[] s_lstmGates = [0, 3, 1, 2], s_gruGates = [1, 0, 2];

    public static IContender Float(RecurrentData data, int threads) => Create("onnxruntime float", Side.FloatPeer, data, threads, (graph, layer, x, y) =>
    {
        RecurrentCase s = data.Shape;
        CellData cell = data.Cells[layer];
        int rows = s.Gates * s.Hidden, inputs = s.InputsOf(layer);
        string w = graph.Constant<float>($"w{layer}", Ordered(cell.FloatInput, inputs, s), 1, rows, inputs), r = graph.Constant<float>($"r{layer}", Ordered(cell.FloatHidden, s.Hidden, s), 1, rows, s.Hidden);
        if (s.Gates == RecurrentCase.Lstm)
            graph.Node("LSTM", [x, w, r, Bias(graph, data, layer)], y, attributes: ("hidden_size", (long)s.Hidden));
        else
            graph.Node("GRU", [x, w, r, Bias(graph, data, layer)], y, "", ("hidden_size", (long)s.Hidden), ("linear_before_reset", 1L));
    });

    public static IContender Int8Lstm(RecurrentData data, int threads) => Create("onnxruntime int8", Side.Int8Peer, data, threads, (graph, layer, x, y) =>
    {
        RecurrentCase s = data.Shape;
        CellData cell = data.Cells[layer];
        int rows = s.Gates * s.Hidden, inputs = s.InputsOf(layer);
        string w = graph.Constant<sbyte>($"w{layer}", Transposed(Ordered(cell.Input, inputs, s), rows, inputs), 1, inputs, rows), r = graph.Constant<sbyte>($"r{layer}", Transposed(Ordered(cell.Hidden, s.Hidden, s), rows, s.Hidden), 1, s.Hidden, rows);
        graph.Node(
            "DynamicQuantizeLSTM",
            [
                x, w, r, Bias(graph, data, layer), "", "", "", "",
                graph.Constant<float>($"ws{layer}", [cell.InputScale], 1), graph.Constant<sbyte>($"wz{layer}", [0], 1), graph.Constant<float>($"rs{layer}", [cell.HiddenScale], 1), graph.Constant<sbyte>($"rz{layer}", [0], 1),
            ],
            y,
            OnnxGraph.Microsoft,
            ("hidden_size", (long)s.Hidden));
    });

    /// <summary>The layers with what is between them: an output has a dimension for the directions.</summary>
    private static OnnxContender<float, float> Create(string name, Side side, RecurrentData data, int threads, Action<OnnxGraph, int, string, string> addLayer)
    {
        RecurrentCase s = data.Shape;
        var graph = new OnnxGraph();
        graph.Input<float>("x", s.Steps, s.Batch, s.Inputs);
        graph.Output<float>("y", s.Steps, 1, s.Batch, s.Hidden);
        string axis = graph.Constant<long>("axis", [1], 1), x = "x";
        for (int layer = 0; layer < s.Layers; layer++)
        {
            string y = layer == s.Layers - 1 ? "y" : $"y{layer}";
            addLayer(graph, layer, x, y);
            if (layer < s.Layers - 1)
                x = graph.Node("Squeeze", [y, axis], $"x{layer + 1}");
        }

        return new OnnxContender<float, float>(name, side, threads, graph, data.X, [s.Steps, s.Batch, s.Inputs], [s.Steps, 1, s.Batch, s.Hidden], (who, y) => data.Check(who, y, side == Side.Int8Peer));
    }

    private static string Bias(OnnxGraph graph, RecurrentData data, int layer)
    {
        CellData cell = data.Cells[layer];
        float[] bias = [.. Ordered(cell.InputBias, 1, data.Shape), .. Ordered(cell.HiddenBias, 1, data.Shape)];
        return graph.Constant<float>($"b{layer}", bias, 1, bias.Length);
    }

    private static T[] Ordered<T>(T[] rows, int width, RecurrentCase s)
    {
        int size = s.Hidden * width;
        return [.. (s.Gates == RecurrentCase.Lstm ? s_lstmGates : s_gruGates).SelectMany(gate => rows.AsSpan(gate * size, size).ToArray())];
    }

    private static sbyte[] Transposed(sbyte[] weights, int rows, int columns)
    {
        sbyte[] transposed = new sbyte[weights.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
                transposed[column * rows + row] = weights[row * columns + column];
        }

        return transposed;
    }
}
