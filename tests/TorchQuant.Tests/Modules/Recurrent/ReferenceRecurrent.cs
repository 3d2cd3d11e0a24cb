using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>The gates that a recurrent module has.</summary>
internal enum Cell { Lstm, Gru, Tanh, Relu }

/// <summary>Recurrent modules in double, written to be read: gates in PyTorch's order, states stored as float as the modules do.</summary>
/// <param name="cell">The kind of cell.</param>
/// <param name="input">W_ih x + b_ih of each layer and direction, in PyTorch's order.</param>
/// <param name="hidden">W_hh h + b_hh of each layer and direction.</param>
/// <param name="directions">1 or 2.</param>
internal sealed class ReferenceRecurrent(Cell cell, ReferenceLinear[] input, ReferenceLinear[] hidden, int directions)
{
    // Activations are exact to 2e-7, sums of some ten products to less; a few steps and layers add up.
    private const double FloatBound = 2e-6;

    public Roundings Roundings { get; } = new();

    /// <summary>Checks rows (of y, or of a state) that a module computed against the reference's.</summary>
    public void AssertNear(Tensor found, float[][] expected) =>
        Assert.InRange(ReferenceState.Difference(found, expected), 0, Roundings.Clear ? FloatBound : Roundings.StepBound);

    /// <summary>Rows of <paramref name="x"/> are the steps one after the other; step t has batchSizes[t] of them, never more than the step before.
    /// h and c ([layers * directions][batch][hidden]) are overwritten with the final states.</summary>
    public float[][] Run(float[][] x, int[] batchSizes, float[][][] h, float[][][] c)
    {
        for (var first = 0; first < input.Length; first += directions)
        {
            var outputs = Enumerable.Range(first, directions)
                .Select(i => Direction(input[i], hidden[i], x, batchSizes, h[i], c[i], reverse: i != first)).ToArray();
            x = [.. Enumerable.Range(0, x.Length).Select(row => outputs.SelectMany(output => output[row]).ToArray())];
        }
        return x;
    }

    private float[][] Direction(ReferenceLinear wx, ReferenceLinear wh, float[][] x, int[] batchSizes, float[][] h, float[][] c, bool reverse)
    {
        var gatesOfInput = wx.Multiply(x, Roundings);
        var y = new float[x.Length][];
        var steps = Enumerable.Range(0, batchSizes.Length);
        foreach (var t in reverse ? steps.Reverse() : steps)
        {
            var start = batchSizes.Take(t).Sum();
            var gatesOfHidden = wh.Multiply(h[..batchSizes[t]], Roundings);
            for (var b = 0; b < batchSizes[t]; b++)
                y[start + b] = h[b] = Step(gatesOfInput[start + b], gatesOfHidden[b], h[b], c[b]);
        }
        return y;
    }

    private float[] Step(double[] a, double[] b, float[] h, float[] c) =>
        [.. Enumerable.Range(0, h.Length).Select(j => (float)(cell switch
        {
            Cell.Lstm => Lstm(a, b, h.Length, j, c),
            Cell.Gru => Gru(a, b, h, j),
            Cell.Tanh => Math.Tanh(a[j] + b[j]),
            _ => Math.Max(0, a[j] + b[j]),
        }))];

    private static double Lstm(double[] a, double[] b, int size, int j, float[] c)
    {
        double Gate(int gate) => a[gate * size + j] + b[gate * size + j];
        var state = Sigmoid(Gate(1)) * c[j] + Sigmoid(Gate(0)) * Math.Tanh(Gate(2));
        c[j] = (float)state;
        return Sigmoid(Gate(3)) * Math.Tanh(state);
    }

    private static double Gru(double[] a, double[] b, float[] h, int j)
    {
        var size = h.Length;
        var reset = Sigmoid(a[j] + b[j]);
        var update = Sigmoid(a[size + j] + b[size + j]);
        var fresh = Math.Tanh(a[2 * size + j] + reset * b[2 * size + j]);
        return (h[j] - fresh) * update + fresh;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
