using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Finds the options of recurrent modules that TorchSharp keeps in native code alone: the dropout probability (matters between layers, in training) and the RNN's
/// nonlinearity. The module runs on a tiny input; its training flag and the state of the random generator are put back. Not to run while another thread uses the module.
/// </summary>
internal static class RecurrentProbe
{
    /// <summary>How long to wait for a moment in which no other thread draws random numbers.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>All options but the nonlinearity.</summary>
    /// <exception cref="NotSupportedException">The dropout probability cannot be found.</exception>
    public static RecurrentFactoryOptions Of(nn.Module module)
    {
        var (hidden, layers, bidirectional, batchFirst) = TorchSharpPrivates.Recurrent(module);
        var options = new RecurrentFactoryOptions(Parameter(module, "weight_ih_l0").shape[1], hidden, layers, module.has_parameter("bias_ih_l0"), batchFirst, 0, bidirectional);
        return layers == 1 ? options : options with { Dropout = Dropout(module, options) };
    }

    /// <summary>The nonlinearity of an RNN: which of the two explains its first step, h = f(W_ih x + b_ih + b_hh).</summary>
    /// <exception cref="NotSupportedException">Both do, or neither.</exception>
    public static nn.NonLinearities NonLinearity(RNN rnn)
    {
        using var scope = NewDisposeScope();
        var options = TorchSharpPrivates.Recurrent(rnn);
        var x = Ramp(rnn, "weight_ih_l0");
        using var grad = no_grad();
        var (_, hidden) = rnn.forward(x.unsqueeze(options.BatchFirst ? 1 : 0), null);
        return Which(hidden[0], Linear(rnn, x, "_l0"));
    }

    /// <summary>The nonlinearity of an RNNCell, likewise.</summary>
    /// <exception cref="NotSupportedException">Both do, or neither.</exception>
    public static nn.NonLinearities NonLinearity(RNNCell cell)
    {
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        var x = Ramp(cell, "weight_ih");
        return Which(cell.forward(x, null), Linear(cell, x, ""));
    }

    /// <summary>
    /// One step in training mode from a known state of the random generator: layer 1 then gets dropout(y0, p), where y0 is layer 0's state and the random numbers are those that
    /// a generator in the same state draws. The p whose layer 1 (a single-layer module with the same weights) gives the state that was seen is the module's.
    /// </summary>
    private static double Dropout(nn.Module module, RecurrentFactoryOptions options)
    {
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        var weight = Parameter(module, "weight_ih_l0");
        if (weight.device_type != DeviceType.CPU || weight.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new NotSupportedException($"the dropout probability of a {module.GetType().Name} can be found only on the CPU in float32 or float64");
        using var random = get_rng_state();
        using var generator = new Generator(0); // of this probe alone: other threads cannot draw from it
        var wasTraining = module.training;
        using var layer = FirstLayerAbove(module, options);
        try
        {
            var x = Ramp(module, "weight_ih_l0").unsqueeze(options.BatchFirst ? 1 : 0);
            var states = Training(module, x, random, AfterDropouts(generator, random, x, options, weight.dtype));
            module.train(wasTraining);
            var directions = options.Bidirectional ? 2 : 1;
            var below = (directions == 2 ? cat([states[0], states[1]], -1) : states[0]).unsqueeze(0);
            var seen = states[directions];
            double Distance(double p)
            {
                using var inner = NewDisposeScope();
                generator.set_state(random);
                var dropped = p switch
                {
                    0 => below,
                    1 => zeros_like(below),
                    _ => below * empty_like(below).bernoulli_(1 - p, generator).div_(1 - p),
                };
                return (Run(layer, dropped)[0] - seen).abs().max().item(weight.dtype);
            }

            var size = Math.Max(seen.abs().max().item(weight.dtype), 1e-30);
            double Error(double p) => Distance(p) / size;
            bool Explains(double p) => Error(p) < 1e-4 && Error(p) * 10 < Math.Min(Error(Math.Max(p - 0.001, 0) + (p == 0 ? 0.05 : 0)), Error(p == 1 ? 0.95 : p + 0.001));
            double[] usual = [0.5, 0.2, 0, 0.1, 0.3, 0.25, 0.4, 0.65, 0.6, 0.7, 0.75, 0.8, 0.15, 0.05, 0.35, 0.45, 0.55, 0.85, 0.9, 0.95, 1];
            if (usual.FirstOrDefault(p => Error(p) < 1e-5 && Explains(p), double.NaN) is var common && !double.IsNaN(common)) return common;
            // Close probabilities drop nearly the same elements: the finest grid is tried near the best hundredth first.
            var near = Enumerable.Range(0, 101).Select(i => i / 100.0).MinBy(Error);
            var fine = Enumerable.Range(-20, 41).Select(i => Math.Round(near + (i / 1000.0), 3)).Where(p => p is >= 0 and <= 1).MinBy(Error);
            if (Explains(fine)) return fine;
            fine = Enumerable.Range(0, 1001).Select(i => i / 1000.0).MinBy(Error);
            if (Explains(fine)) return fine;
        }
        finally
        {
            module.train(wasTraining);
            set_rng_state(random);
        }

        throw new NotSupportedException($"the dropout probability of this {module.GetType().Name} is kept in native code and is no multiple of 0.001, or its weights do not show it");
    }

    /// <summary>
    /// The states of one step in training mode from that state of the generator. Every thread draws from it: that it ends where the dropouts alone bring it, or where it
    /// began if there are none, says that no other thread drew meanwhile.
    /// </summary>
    private static Tensor Training(nn.Module module, Tensor x, Tensor random, Tensor afterDropouts)
    {
        module.train(true);
        var began = Stopwatch.GetTimestamp();
        do
        {
            set_rng_state(random);
            var states = Run(module, x);
            using var after = get_rng_state();
            if (after.Equals(afterDropouts) || after.Equals(random)) return states;
            states.Dispose();
        }
        while (Stopwatch.GetElapsedTime(began) < s_patience);

        throw new NotSupportedException($"the dropout probability of this {module.GetType().Name} is kept in native code and cannot be found while other threads draw random numbers");
    }

    /// <summary>The state of a generator after the dropouts between the layers, each of which draws a mask for the layer below.</summary>
    private static Tensor AfterDropouts(Generator generator, Tensor random, Tensor x, RecurrentFactoryOptions options, ScalarType dtype)
    {
        generator.set_state(random);
        using var mask = empty([1, x.numel() / x.shape[^1], options.Hidden * (options.Bidirectional ? 2 : 1)], dtype: dtype);
        for (var i = 1; i < options.Layers; i++) mask.bernoulli_(0.5, generator);
        return generator.get_state();
    }

    private static nn.Module FirstLayerAbove(nn.Module module, RecurrentFactoryOptions o)
    {
        var inputs = o.Hidden * (o.Bidirectional ? 2 : 1);
        var dtype = Parameter(module, "weight_ih_l0").dtype;
        nn.Module layer = module switch
        {
            LSTM => nn.LSTM(inputs, o.Hidden, bias: o.Bias, dtype: dtype),
            GRU => nn.GRU(inputs, o.Hidden, bias: o.Bias, dtype: dtype),
            _ => nn.RNN(inputs, o.Hidden, nonLinearity: NonLinearity((RNN)module), bias: o.Bias, dtype: dtype),
        };
        foreach (var (name, parameter) in layer.named_parameters()) parameter.copy_(Parameter(module, name.Replace("_l0", "_l1", StringComparison.Ordinal)));
        return layer;
    }

    /// <summary>The final hidden states, one for each layer and direction.</summary>
    private static Tensor Run(nn.Module module, Tensor x) => module switch
    {
        LSTM lstm => lstm.forward(x, null).Item2,
        GRU gru => gru.forward(x, null).Item2,
        _ => ((RNN)module).forward(x, null).Item2,
    };

    private static nn.NonLinearities Which(Tensor seen, Tensor sum)
    {
        var tanh = (seen - sum.tanh()).abs().max().item(seen.dtype);
        var relu = (seen - sum.relu()).abs().max().item(seen.dtype);
        if (Math.Min(tanh, relu) < 1e-2 && Math.Min(tanh, relu) * 10 < Math.Max(tanh, relu)) return tanh < relu ? nn.NonLinearities.Tanh : nn.NonLinearities.ReLU;
        throw new NotSupportedException("the nonlinearity is kept in native code and the weights do not show it");
    }

    private static Tensor Linear(nn.Module module, Tensor x, string layer)
    {
        var sum = nn.functional.linear(x, Parameter(module, "weight_ih" + layer));
        return module.has_parameter("bias_ih" + layer) ? sum + Parameter(module, "bias_ih" + layer) + Parameter(module, "bias_hh" + layer) : sum;
    }

    /// <summary>A batch of rows that differ, without drawing a random number.</summary>
    private static Tensor Ramp(nn.Module module, string weight)
    {
        var w = Parameter(module, weight);
        var rows = Math.Clamp(1024 / w.shape[0], 4, 64); // enough numbers for a dropout to show in, few enough for one thread
        var ramp = linspace(-3, 3, rows * w.shape[1], dtype: ScalarType.Float64, device: w.device);
        return (ramp * 12.9898).sin().mul(3).reshape(rows, w.shape[1]).to(w.dtype);
    }

    private static Parameter Parameter(nn.Module module, string name) => module.get_parameter(name)!;

    private static double item(this Tensor value, ScalarType dtype) => dtype == ScalarType.Float64 ? value.item<double>() : value.to(ScalarType.Float32).item<float>();
}
