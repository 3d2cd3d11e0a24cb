using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>Builds the reference from what a quantized module exports, so that both compute with the same integers.</summary>
internal static class ReferenceState
{
    public static ReferenceRecurrent Of(IQuantizedModule module, Cell cell, int layers, int directions)
    {
        var state = module.ExportState();
        try
        {
            var tensors = state.ToDictionary(entry => entry.Key, entry => entry.Value);
            var reduceRange = bool.Parse(module.Options["reduce_range"]);
            var suffixes = layers == 0
                ? [""]
                : Enumerable.Range(0, layers).SelectMany(layer => Enumerable.Range(0, directions).Select(d => $"_l{layer}{(d == 1 ? "_reverse" : "")}")).ToArray();
            ReferenceLinear[] Side(string side) => [.. suffixes.Select(suffix => Linear(tensors, $"weight_{side}{suffix}", $"bias_{side}{suffix}", reduceRange))];
            return new ReferenceRecurrent(cell, Side("ih"), Side("hh"), directions);
        }
        finally
        {
            foreach (var (_, tensor) in state)
                tensor.Dispose();
        }
    }

    private static ReferenceLinear Linear(Dictionary<string, Tensor> state, string weight, string bias, bool reduceRange)
    {
        var rows = (int)state[weight].size(0);
        var scales = state.TryGetValue(weight + "_scale", out var scale) ? scale.data<float>().ToArray() : null;
        var perRow = scales is null || scales.Length == rows ? scales : [.. Enumerable.Repeat(scales[0], rows)];
        using var wide = state[weight].to(ScalarType.Float64);
        var codes = wide.data<double>().ToArray().Chunk((int)state[weight].size(1)).ToArray();
        var biases = state.TryGetValue(bias, out var b) ? Array.ConvertAll(b.data<float>().ToArray(), value => (double)value) : new double[rows];
        return new ReferenceLinear(codes, perRow, biases, reduceRange);
    }

    /// <summary>The rows of a tensor, all dimensions but the last flattened.</summary>
    public static float[][] Rows(Tensor tensor)
    {
        using var contiguous = tensor.contiguous();
        return [.. contiguous.data<float>().ToArray().Chunk((int)tensor.size(-1))];
    }

    /// <summary>A state (layers * directions, batch, hidden) as arrays.</summary>
    public static float[][][] Blocks(Tensor state) => [.. Rows(state).Chunk((int)state.size(1))];

    /// <summary>The largest difference between a tensor's rows and the expected ones.</summary>
    public static double Difference(Tensor found, float[][] expected)
    {
        var rows = Rows(found);
        Assert.Equal(expected.Length, rows.Length);
        return rows.Zip(expected).SelectMany(pair => pair.First.Zip(pair.Second)).Select(pair => Math.Abs((double)pair.First - pair.Second)).DefaultIfEmpty(0).Max();
    }
}
