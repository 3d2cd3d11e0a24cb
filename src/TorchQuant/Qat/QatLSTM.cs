using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>An <see cref="LSTM"/> in quantization-aware training: see <see cref="QatRecurrent{TState, TResult}"/>. Packed sequences are not taken.</summary>
public sealed class QatLSTM : QatRecurrent<(Tensor, Tensor)?, (Tensor, Tensor, Tensor)>
{
    private QatLSTM(LSTM module, QConfig qconfig) : base(nameof(QatLSTM), module, FloatRecurrent.Of(module), qconfig)
    {
    }

    /// <summary>Takes an LSTM over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">One of dynamic quantization: <see cref="quantization.get_default_dynamic_qconfig"/>.</param>
    /// <exception cref="ArgumentException">The qconfig is another.</exception>
    public static QatLSTM from_float(LSTM module, QConfig qconfig)
    {
        ArgumentNullException.ThrowIfNull(module);
        return new(module, qconfig);
    }

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">Float32 (sequence, batch, features), or (batch, sequence, features) if batch_first.</param>
    /// <param name="h0_c0">The initial hidden and cell states, each (layers * directions, batch, hidden); zeros if null.</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden and cell states.</returns>
    /// <exception cref="ArgumentException">The input has another shape, or holds NaN or infinite values.</exception>
    public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
    {
        var (y, h, c) = Run(input, h0_c0?.Item1, h0_c0?.Item2, hasCell: true);
        return (y, h, c!);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    /// <inheritdoc/>
    private protected override nn.Module ToDynamic(string path) => DynamicQuantizedLSTM.from_float((LSTM)module, fake_quant.QConfig, path);

    /// <inheritdoc/>
    private protected override (Tensor Hidden, Tensor? Cell) Step(Tensor fromInput, Tensor fromHidden, Tensor hidden, Tensor? cell)
    {
        var gates = (fromInput + fromHidden).chunk(4, 1);
        var next = (gates[1].sigmoid() * cell!) + (gates[0].sigmoid() * gates[2].tanh());
        return (gates[3].sigmoid() * next.tanh(), next);
    }
}
