using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>One step of an LSTM with int8 or float16 weights; takes the place of <see cref="LSTMCell"/>.</summary>
/// <remarks>The formula is that of <see cref="DynamicQuantizedLSTM"/>, and so are the gates' order and the products.</remarks>
public sealed class DynamicQuantizedLSTMCell : DynamicQuantizedRecurrent<(Tensor, Tensor)?, (Tensor, Tensor)>
{
    private readonly CellRun _run;

    private DynamicQuantizedLSTMCell(RecurrentSettings options, RecurrentWeights weights, string path)
        : base(nameof(DynamicQuantizedLSTMCell), options, weights, path) => _run = new CellRun(this, options);

    /// <summary>Quantizes an LSTMCell, which stays as it is.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">How: weights qint8 (per tensor or per channel) with dynamic quint8 activations, or weights float16.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">A weight is not finite, not float32 or not on the CPU, or the qconfig is none for dynamic quantization.</exception>
    public static DynamicQuantizedLSTMCell from_float(LSTMCell module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        var options = FloatRecurrent.OfCell(gates: 4, module);
        return new(options, RecurrentWeights.FromFloat(options, module, qconfig, path), path);
    }

    /// <summary>Runs one step.</summary>
    /// <param name="input">Float32 (batch, features), or (features) for one sample.</param>
    /// <param name="h0_c0">The hidden and the cell state, each (batch, hidden), or (hidden); zeros if null (where TorchSharp's own cell fails).</param>
    /// <returns>The new hidden and cell states, of the same shapes.</returns>
    /// <exception cref="ArgumentException">A shape, type or device is wrong, or a value to be quantized is NaN or infinite.</exception>
    public override (Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
    {
        var (h, c) = _run.Forward(Weights(), input, h0_c0?.Item1, h0_c0?.Item2);
        return (h, c!);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    /// <summary>Rebuilds a module from <see cref="IQuantizedModule.Options"/> and <see cref="IQuantizedModule.ExportState"/>.</summary>
    internal static DynamicQuantizedLSTMCell FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var sizes = RecurrentSettings.ReadCell(gates: 4, options, path);
        return new(sizes, Import(sizes, options, state, path), path);
    }
}
