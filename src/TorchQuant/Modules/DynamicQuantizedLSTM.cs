using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;
using PackedSequence = TorchSharp.torch.nn.utils.rnn.PackedSequence;

namespace TorchQuant.Modules;

/// <summary>An LSTM with int8 or float16 weights, float32 states, inputs and outputs; takes the place of <see cref="LSTM"/>.</summary>
/// <remarks>i, f, o = sigmoid(W_ix x + b_ix + W_ih h + b_ih) and so on, g = tanh(...), c' = f c + i g, h' = o tanh(c'); gates in the order i, f, g, o. The products are
/// those of dynamic quantization: see <see cref="DynamicQuantizedRecurrent{TState, TResult}"/>.</remarks>
public sealed class DynamicQuantizedLSTM : DynamicQuantizedRecurrent<(Tensor, Tensor)?, (Tensor, Tensor, Tensor)>
{
    private readonly SequenceRun _run;

    private DynamicQuantizedLSTM(RecurrentSettings options, RecurrentWeights weights, string path)
        : base(nameof(DynamicQuantizedLSTM), options, weights, path) => _run = new SequenceRun(this, options);

    /// <summary>Quantizes an LSTM, which stays as it is.</summary>
    /// <param name="module">The float module, of any options.</param>
    /// <param name="qconfig">How: weights qint8 (per tensor or per channel) or float16; its activation says whether the range is reduced.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">The weights are not finite or not on the CPU, or the qconfig is none for this module.</exception>
    public static DynamicQuantizedLSTM from_float(LSTM module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        var options = FloatRecurrent.Of(module);
        return new(options, RecurrentWeights.FromFloat(options, module, qconfig, path), path);
    }

    /// <summary>Rebuilds a module from <see cref="IQuantizedModule.Options"/> and <see cref="IQuantizedModule.ExportState"/>.</summary>
    internal static DynamicQuantizedLSTM FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var sizes = RecurrentSettings.ReadLayers(gates: 4, options, path);
        return new(sizes, Import(sizes, options, state, path), path);
    }

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">Float32 (sequence, batch, features), or (batch, sequence, features) if batch_first.</param>
    /// <param name="h0_c0">The initial hidden and cell states, each (layers * directions, batch, hidden); zeros if null.</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden and cell states.</returns>
    /// <exception cref="ArgumentException">A shape, type or device is wrong, or a value to be quantized is NaN or infinite.</exception>
    public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
    {
        var (y, h, c) = _run.Forward(Weights(), input, h0_c0?.Item1, h0_c0?.Item2);
        return (y, h, c!);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    /// <summary>Runs a packed sequence, as <c>pack_padded_sequence</c> makes them.</summary>
    /// <param name="input">Packed sequences of float32 features.</param>
    /// <param name="h0_c0">The initial states, in the order in which the sequences were packed; zeros if null.</param>
    /// <returns>The output, packed alike, and the final states of each sequence.</returns>
    /// <exception cref="ArgumentException">A shape, type or device is wrong, or a value to be quantized is NaN or infinite.</exception>
    public (PackedSequence, Tensor, Tensor) call(PackedSequence input, (Tensor, Tensor)? h0_c0 = null)
    {
        var (y, h, c) = _run.Forward(Weights(), input, h0_c0?.Item1, h0_c0?.Item2);
        return (y, h, c!);
    }
}
