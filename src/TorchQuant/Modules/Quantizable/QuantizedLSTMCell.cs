using TorchQuant.Modules.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A statically quantized LSTM cell: quint8 tensors in and out, int8 weights, and nothing in float between. Its states have scales of their own, for whatever step it computes.</summary>
/// <remarks>A step is computed as <see cref="QuantizedRecurrent{TResult}"/> says.</remarks>
public sealed class QuantizedLSTMCell : QuantizedRecurrent<(Tensor, Tensor)>
{
    private QuantizedLSTMCell(RecurrentSettings settings, IReadOnlyDictionary<string, Tensor> state, string path) : base(nameof(QuantizedLSTMCell), settings, state, path)
    {
    }

    /// <summary>Converts an observed cell that has seen data.</summary>
    /// <param name="module">What <c>quantization.prepare</c> put in the place of the float cell; it is read, not changed and not kept.</param>
    /// <param name="conversion">Converts its parts.</param>
    /// <exception cref="ArgumentException">Weights are not finite, not float32 or not on the CPU, a qconfig is none for int8 weights, or a part is not observed.</exception>
    /// <exception cref="InvalidOperationException">A part has seen nothing or gives no quint8; the message names it.</exception>
    public static QuantizedLSTMCell from_observed(QuantizableLSTMCell module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        using var parts = new PartStates(conversion);
        module.Convert("", parts);
        return new QuantizedLSTMCell(module.Settings, parts.Tensors, conversion.Path);
    }

    /// <summary>One step.</summary>
    /// <param name="input">quint8 [batch, features] or [features].</param>
    /// <param name="h0_c0">The hidden and cell state before, quint8 of any scale, each [batch, hidden] or [hidden]; zeros if null.</param>
    /// <returns>The hidden and the cell state afterwards: quint8.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or a tensor is not quint8; the message names the module and the mend.</exception>
    public override (Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null) => Run.Step(Weights(), input, h0_c0);

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    internal static QuantizedLSTMCell FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(RecurrentSettings.ReadCell(gates: 4, options, path), state, path);
}
