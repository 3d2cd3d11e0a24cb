using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>How far quantization moves an LSTM from the float module: within the bound that follows from the steps of the codes.</summary>
public class RecurrentAccuracyTests
{
    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 100)]
    public void One_layer_stays_within_the_bound_of_its_steps(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        sample = sample with { Layers = 1, Bidirectional = false, BatchFirst = false, WithState = false };
        using var floats = sample.Lstm();
        using var module = DynamicQuantizedLSTM.from_float(floats, sample.QConfig);
        var x = sample.Sequence();
        var (expected, _, _) = floats.call(x);
        var (found, _, _) = module.call(x);
        var bounds = Bounds(sample, module, floats.state_dict()["weight_ih_l0"], floats.state_dict()["weight_hh_l0"], x);
        var differences = ReferenceState.Rows((found - expected).abs());
        for (var row = 0; row < differences.Length; row++)
            Assert.InRange(differences[row].Max(), 0, bounds[row / sample.Batch]);
    }

    [Fact]
    public void A_finer_scheme_comes_nearer_to_the_float_module()
    {
        using var scope = NewDisposeScope();
        double Error(Scheme scheme) => Enumerable.Range(0, 30).Sum(seed =>
        {
            var sample = new RecurrentCase(seed, 12, 16, 2, false, false, true, true, 8, 2, scheme);
            using var floats = sample.Lstm();
            using (no_grad())
                foreach (var weight in floats.parameters().Where(parameter => parameter.ndim == 2))
                    weight.mul_(linspace(0.1, 1, weight.size(0)).unsqueeze(1)); // rows of unlike sizes, as in trained models
            using var module = DynamicQuantizedLSTM.from_float(floats, sample.QConfig);
            var (x, h0, c0) = (sample.Sequence(), sample.State(1), sample.State(2));
            return (floats.call(x, (h0, c0)).Item1 - module.call(x, (h0, c0)).Item1).square().mean().item<float>();
        });
        var errors = new[] { Scheme.PerTensorReduced, Scheme.PerTensor, Scheme.PerChannel, Scheme.Float16 }.Select(Error).ToArray();
        Assert.Equal(errors.OrderDescending(), errors);
        Assert.InRange(Math.Sqrt(errors[0] / 30), 1e-6, 0.01);
    }

    // The largest difference of any hidden value after each step. A product is off by at most sum |w^| (step of the input + what the input is off) + |w^ - w| |input|;
    // sigmoid is 1/4-Lipschitz, tanh 1; a state h is at most 1, a cell c at most the number of steps.
    private static double[] Bounds(RecurrentCase sample, IQuantizedModule module, Tensor inputWeight, Tensor hiddenWeight, Tensor x)
    {
        var rows = ReferenceState.Rows(x);
        var largest = rows.SelectMany(row => row).Max(MathF.Abs);
        var codes = sample.Scheme == Scheme.PerTensorReduced ? 127 : 255;
        var quantized = sample.Scheme != Scheme.Float16;
        var (inputStep, hiddenStep) = quantized ? (2.0 * largest / codes, 2.0 / codes) : (0.0, 0.0);
        var (input, inputOff) = RowSums(module, "weight_ih_l0", inputWeight);
        var (hidden, hiddenOff) = RowSums(module, "weight_hh_l0", hiddenWeight);
        var bounds = new double[sample.Steps];
        var (h, c) = (0.0, 0.0);
        for (var t = 0; t < sample.Steps; t++)
        {
            var gate = input * inputStep + inputOff * largest + hidden * (hiddenStep + h) + hiddenOff;
            var (sigmoid, tanh) = (Math.Min(1, gate / 4), Math.Min(2, gate));
            c = sigmoid * t + c + sigmoid + tanh;
            h = bounds[t] = Math.Min(2, sigmoid + c) + 1e-5;
        }
        return bounds;
    }

    // The largest sum of a row's magnitudes, and of its distances from the float weights.
    private static (double Sum, double Off) RowSums(IQuantizedModule module, string name, Tensor weight)
    {
        var state = module.ExportState().ToDictionary(entry => entry.Key, entry => entry.Value);
        var plain = state[name].to(ScalarType.Float32);
        if (state.TryGetValue(name + "_scale", out var scale))
            plain = plain * scale.unsqueeze(1);
        var result = (plain.abs().sum(1).max().item<float>(), (plain - weight).abs().sum(1).max().item<float>());
        foreach (var tensor in state.Values)
            tensor.Dispose();
        return result;
    }
}
