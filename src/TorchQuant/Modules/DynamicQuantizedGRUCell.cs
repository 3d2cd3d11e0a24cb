using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>One step of a GRU with int8 or float16 weights; takes the place of <see cref="GRUCell"/>.</summary>
/// <remarks>The formula is that of <see cref="DynamicQuantizedGRU"/>, and so are the gates' order and the products.</remarks>
public sealed class DynamicQuantizedGRUCell : DynamicQuantizedRecurrent<Tensor, Tensor>
{
    private readonly CellRun _run;

    private DynamicQuantizedGRUCell(RecurrentSettings options, RecurrentWeights weights, string path)
        : base(nameof(DynamicQuantizedGRUCell), options, weights, path) => _run = new CellRun(this, options);

    /// <summary>Quantizes a GRUCell, which stays as it is.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">How: weights qint8 (per tensor or per channel) with dynamic quint8 activations, or weights float16.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">A weight is not finite, not float32 or not on the CPU, or the qconfig is none for dynamic quantization.</exception>
    public static DynamicQuantizedGRUCell from_float(GRUCell module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        var options = FloatRecurrent.OfCell(gates: 3, module);
        return new(options, RecurrentWeights.FromFloat(options, module, qconfig, path), path);
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
    internal static DynamicQuantizedGRUCell FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var sizes = RecurrentSettings.ReadCell(gates: 3, options, path);
        return new(sizes, Import(sizes, options, state, path), path);
    }
}
