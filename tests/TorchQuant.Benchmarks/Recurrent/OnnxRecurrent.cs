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
        CellData cell = data.Cells[layer];
        FloatLayer(graph, data.Shape, layer, x, y, cell.FloatInput, cell.FloatHidden, cell.InputBias, cell.HiddenBias);
    });

    public static IContender Int8Lstm(RecurrentData data, int threads) => Create("onnxruntime int8", Side.Int8Peer, data, threads, (graph, layer, x, y) => Int8Layer(graph, data.Shape, layer, x, y, data.Cells[layer]));

    /// <summary>Adds a layer in float, from x [steps, batch, inputs] to y [steps, 1, batch, hidden]; weights and biases as PyTorch has them.</summary>
    public static void FloatLayer(OnnxGraph graph, RecurrentCase s, int layer, string x, string y, float[] input, float[] hidden, float[] inputBias, float[] hiddenBias)
    {
        int rows = s.Gates * s.Hidden, inputs = s.InputsOf(layer);
        string w = graph.Constant<float>($"w{layer}", Ordered(input, inputs, s), 1, rows, inputs), r = graph.Constant<float>($"r{layer}", Ordered(hidden, s.Hidden, s), 1, rows, s.Hidden);
        string bias = Bias(graph, s, layer, inputBias, hiddenBias);
        if (s.Gates == RecurrentCase.Lstm)
            graph.Node("LSTM", [x, w, r, bias], y, attributes: ("hidden_size", (long)s.Hidden));
        else
            graph.Node("GRU", [x, w, r, bias], y, "", ("hidden_size", (long)s.Hidden), ("linear_before_reset", 1L));
    }

    /// <summary>Adds a layer in dynamic int8, likewise.</summary>
    public static void Int8Layer(OnnxGraph graph, RecurrentCase s, int layer, string x, string y, CellData cell)
    {
        int rows = s.Gates * s.Hidden, inputs = s.InputsOf(layer);
        string w = graph.Constant<sbyte>($"w{layer}", Transposed(Ordered(cell.Input, inputs, s), rows, inputs), 1, inputs, rows), r = graph.Constant<sbyte>($"r{layer}", Transposed(Ordered(cell.Hidden, s.Hidden, s), rows, s.Hidden), 1, s.Hidden, rows);
        graph.Node(
            "DynamicQuantizeLSTM",
            [
                x, w, r, Bias(graph, s, layer, cell.InputBias, cell.HiddenBias), "", "", "", "",
                graph.Constant<float>($"ws{layer}", [cell.InputScale], 1), graph.Constant<sbyte>($"wz{layer}", [0], 1), graph.Constant<float>($"rs{layer}", [cell.HiddenScale], 1), graph.Constant<sbyte>($"rz{layer}", [0], 1),
            ],
            y,
            OnnxGraph.Microsoft,
            ("hidden_size", (long)s.Hidden));
    }

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

    private static string Bias(OnnxGraph graph, RecurrentCase s, int layer, float[] inputBias, float[] hiddenBias)
    {
        float[] bias = [.. Ordered(inputBias, 1, s), .. Ordered(hiddenBias, 1, s)];
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
