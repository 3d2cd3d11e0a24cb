using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A <see cref="GRU"/> in quantization-aware training: see <see cref="QatRecurrent{TState, TResult}"/>. Packed sequences are not taken.</summary>
public sealed class QatGRU : QatRecurrent<Tensor, (Tensor, Tensor)>
{
    private QatGRU(GRU module, QConfig qconfig) : base(nameof(QatGRU), module, FloatRecurrent.Of(module), qconfig)
    {
    }

    /// <summary>Takes a GRU over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">One of dynamic quantization: <see cref="quantization.get_default_dynamic_qconfig"/>.</param>
    /// <exception cref="ArgumentException">The qconfig is another.</exception>
    public static QatGRU from_float(GRU module, QConfig qconfig)
    {
        ArgumentNullException.ThrowIfNull(module);
        return new(module, qconfig);
    }

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">Float32 (sequence, batch, features), or (batch, sequence, features) if batch_first.</param>
    /// <param name="h0">The initial hidden state (layers * directions, batch, hidden); zeros if null.</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden state.</returns>
    /// <exception cref="ArgumentException">The input has another shape, or holds NaN or infinite values.</exception>
    public override (Tensor, Tensor) forward(Tensor input, Tensor? h0 = null)
    {
        var (y, h, _) = Run(input, h0, null, hasCell: false);
        return (y, h);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor) call(Tensor input, Tensor? h0 = null) => base.call(input, h0!);

    /// <inheritdoc/>
    private protected override nn.Module ToDynamic(string path) => DynamicQuantizedGRU.from_float((GRU)module, fake_quant.QConfig, path);

    /// <inheritdoc/>
    private protected override (Tensor Hidden, Tensor? Cell) Step(Tensor fromInput, Tensor fromHidden, Tensor hidden, Tensor? cell)
    {
        var (x, h) = (fromInput.chunk(3, 1), fromHidden.chunk(3, 1));
        var reset = (x[0] + h[0]).sigmoid();
        var update = (x[1] + h[1]).sigmoid();
        var candidate = (x[2] + (reset * h[2])).tanh();
        return (((1 - update) * candidate) + (update * hidden), null);
    }
}
