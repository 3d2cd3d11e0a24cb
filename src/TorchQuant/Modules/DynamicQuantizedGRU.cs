using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;
using PackedSequence = TorchSharp.torch.nn.utils.rnn.PackedSequence;

namespace TorchQuant.Modules;

/// <summary>A GRU with int8 or float16 weights, float32 states, inputs and outputs; takes the place of <see cref="GRU"/>.</summary>
/// <remarks>r, z = sigmoid(W_rx x + b_rx + W_rh h + b_rh) and so on, n = tanh(W_nx x + b_nx + r (W_nh h + b_nh)), h' = (h - n) z + n; gates in the order r, z, n. The products
/// are those of dynamic quantization: see <see cref="DynamicQuantizedRecurrent{TState, TResult}"/>.</remarks>
public sealed class DynamicQuantizedGRU : DynamicQuantizedRecurrent<Tensor, (Tensor, Tensor)>
{
    private readonly SequenceRun _run;

    private DynamicQuantizedGRU(RecurrentSettings options, RecurrentWeights weights, string path)
        : base(nameof(DynamicQuantizedGRU), options, weights, path) => _run = new SequenceRun(this, options);

    /// <summary>Quantizes a GRU, which stays as it is.</summary>
    /// <param name="module">The float module, of any options.</param>
    /// <param name="qconfig">How: weights qint8 (per tensor or per channel) or float16; its activation says whether the range is reduced.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">The weights are not finite or not on the CPU, or the qconfig is none for this module.</exception>
    public static DynamicQuantizedGRU from_float(GRU module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        var options = FloatRecurrent.Of(module);
        return new(options, RecurrentWeights.FromFloat(options, module, qconfig, path), path);
    }

    /// <summary>Rebuilds a module from <see cref="IQuantizedModule.Options"/> and <see cref="IQuantizedModule.ExportState"/>.</summary>
    internal static DynamicQuantizedGRU FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var sizes = RecurrentSettings.ReadLayers(gates: 3, options, path);
        return new(sizes, Import(sizes, options, state, path), path);
    }

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">Float32 (sequence, batch, features), or (batch, sequence, features) if batch_first.</param>
    /// <param name="h0">The initial hidden state (layers * directions, batch, hidden); zeros if null.</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden state.</returns>
    /// <exception cref="ArgumentException">A shape, type or device is wrong, or a value to be quantized is NaN or infinite.</exception>
    public override (Tensor, Tensor) forward(Tensor input, Tensor? h0 = null)
    {
        var (y, h, _) = _run.Forward(Weights(), input, h0, null);
        return (y, h);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor) call(Tensor input, Tensor? h0 = null) => base.call(input, h0!);

    /// <summary>Runs a packed sequence, as <c>pack_padded_sequence</c> makes them.</summary>
    /// <param name="input">Packed sequences of float32 features.</param>
    /// <param name="h0">The initial hidden state, in the order in which the sequences were packed; zeros if null.</param>
    /// <returns>The output, packed alike, and the final hidden state of each sequence.</returns>
    /// <exception cref="ArgumentException">A shape, type or device is wrong, or a value to be quantized is NaN or infinite.</exception>
    public (PackedSequence, Tensor) call(PackedSequence input, Tensor? h0 = null)
    {
        var (y, h, _) = _run.Forward(Weights(), input, h0, null);
        return (y, h);
    }
}
