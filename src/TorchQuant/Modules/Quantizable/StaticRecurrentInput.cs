using TorchQuant.Modules.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The checks of what a recurrent module of observable parts is given: float tensors before its parts are converted, quint8 afterwards, but never both.</summary>
internal sealed class StaticRecurrentInput(Func<string> name, RecurrentSettings settings) : RecurrentInput(name, settings)
{
    /// <summary>States of zeros for an input: float, or quint8 of scale 1 and zero point 0, PyTorch's default.</summary>
    public static Tensor Zeros(Tensor input, params ReadOnlySpan<long> shape)
    {
        if (!input.is_quantized())
            return zeros(shape, dtype: input.dtype, device: input.device);
        using var floats = zeros(shape, dtype: ScalarType.Float32, device: CPU);
        return quantize_per_tensor(floats, 1, 0, ScalarType.QUInt8);
    }

    /// <summary>A state of exactly that shape, and quantized if the input is.</summary>
    public void State(Tensor input, Tensor state, string stateName, ReadOnlySpan<long> shape)
    {
        State(state, stateName, shape);
        if (state.dtype != input.dtype)
            throw Bad($"{stateName} is {state.dtype} and the input {input.dtype}; expected the same type of both. Give an initial state of a model to be quantized to a QuantStub of its own, " +
                      "or give none for zeros.");
    }

    /// <inheritdoc/>
    protected override void RequireType(Tensor tensor, string name)
    {
        ArgumentNullException.ThrowIfNull(tensor, name);
        if (!tensor.is_quantized() && !tensor.is_floating_point())
            throw Bad($"{name} is {tensor.dtype}; expected floating point numbers, or quint8 once the model is converted.");
    }
}
