using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>One step of the recurrent cell without gates, with int8 or float16 weights; takes the place of <see cref="RNNCell"/>.</summary>
/// <remarks>h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it. The products are those of <see cref="DynamicQuantizedRecurrent{TState, TResult}"/>.</remarks>
public sealed class DynamicQuantizedRNNCell : DynamicQuantizedRecurrent<Tensor, Tensor>
{
    private readonly CellRun _run;

    private DynamicQuantizedRNNCell(RecurrentSettings options, RecurrentWeights weights, string path)
        : base(nameof(DynamicQuantizedRNNCell), options, weights, path) => _run = new CellRun(this, options);

    /// <summary>Quantizes an RNNCell, which stays as it is. Whether it applies tanh or relu is found by running it, as TorchSharp does not tell.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">How: weights qint8 (per tensor or per channel) with dynamic quint8 activations, or weights float16.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">A weight is not finite, not float32 or not on the CPU, the qconfig is none for dynamic quantization, or the cell's
    /// weights do not show whether it applies tanh or relu.</exception>
    public static DynamicQuantizedRNNCell from_float(RNNCell module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        var options = FloatRecurrent.OfCell(gates: 1, module);
        var weights = RecurrentWeights.FromFloat(options, module, qconfig, path);
        return new(options with { Nonlinearity = FloatRecurrent.Nonlinearity(module, path) }, weights, path);
    }

    /// <summary>Runs one step.</summary>
    /// <param name="input">Float32 (batch, features), or (features) for one sample.</param>
    /// <param name="h0">The hidden state (batch, hidden), or (hidden); zeros if null.</param>
    /// <returns>The new hidden state, of the same shape.</returns>
    /// <exception cref="ArgumentException">A shape, type or device is wrong, or a value to be quantized is NaN or infinite.</exception>
    public override Tensor forward(Tensor input, Tensor? h0 = null) => _run.Forward(Weights(), input, h0, null).H;

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new Tensor call(Tensor input, Tensor? h0 = null) => base.call(input, h0!);

    /// <summary>Rebuilds a module from <see cref="IQuantizedModule.Options"/> and <see cref="IQuantizedModule.ExportState"/>.</summary>
    internal static DynamicQuantizedRNNCell FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var nonlinearity = StateOptions.Text(options, "nonlinearity", path);
        if (nonlinearity is not (FloatRecurrent.Tanh or FloatRecurrent.Relu))
            throw new ArgumentException($"{path}: the option nonlinearity is '{nonlinearity}'; expected {FloatRecurrent.Tanh} or {FloatRecurrent.Relu}.");
        var sizes = RecurrentSettings.ReadCell(gates: 1, options, path) with { Nonlinearity = nonlinearity };
        return new(sizes, Import(sizes, options, state, path), path);
    }
}
