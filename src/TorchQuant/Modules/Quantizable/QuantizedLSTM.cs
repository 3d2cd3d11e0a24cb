using TorchQuant.Modules.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A statically quantized LSTM, PyTorch's <c>torch.ao.nn.quantized.LSTM</c>: quint8 tensors in and out, int8 weights, and nothing in float between.</summary>
/// <remarks>A step is computed as <see cref="QuantizedRecurrent{TResult}"/> says. A tensor has one scale: as in PyTorch, the output has that of the last layer's forward direction and the final
/// states have that of the first layer's. Those of further layers and of the reverse direction are requantized, and clipped where their range is larger.</remarks>
public sealed class QuantizedLSTM : QuantizedRecurrent<(Tensor, Tensor, Tensor)>
{
    private QuantizedLSTM(RecurrentSettings settings, IReadOnlyDictionary<string, Tensor> state, string path) : base(nameof(QuantizedLSTM), settings, state, path)
    {
    }

    /// <summary>Converts an observed LSTM that has seen data.</summary>
    /// <param name="module">What <c>quantization.prepare</c> put in the place of the float LSTM; it is read, not changed and not kept.</param>
    /// <param name="conversion">Converts its parts.</param>
    /// <exception cref="ArgumentException">Weights are not finite, not float32 or not on the CPU, a qconfig is none for int8 weights, or a part is not observed.</exception>
    /// <exception cref="InvalidOperationException">A part has seen nothing or gives no quint8; the message names it.</exception>
    public static QuantizedLSTM from_observed(QuantizableLSTM module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        using var parts = new PartStates(conversion);
        foreach (var (name, cell) in Int8LstmWeights.CellNames(module.Settings).Zip(module.Cells))
            cell.Convert(name, parts);
        return new QuantizedLSTM(module.Settings, parts.Tensors, conversion.Path);
    }

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">quint8 (sequence, batch, features), or (batch, sequence, features) if batch_first.</param>
    /// <param name="h0_c0">The initial hidden and cell states, quint8 of any scale, each (layers * directions, batch, hidden); zeros if null.</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden and cell states: quint8.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or a tensor is not quint8; the message names the module and the mend.</exception>
    public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null) => Run.Forward(Weights(), input, h0_c0);

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    internal static QuantizedLSTM FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(RecurrentSettings.ReadLayers(gates: 4, options, path), state, path);
}
