using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Checks what flows into a quantized module, with messages that name the module.</summary>
internal static class FloatInput
{
    /// <summary>The shape of a float32 input on the CPU whose last dimension has <paramref name="features"/> elements; a new array, which the caller may change.</summary>
    /// <exception cref="ArgumentException">The input is another.</exception>
    public static long[] Shape<TModule>(TModule module, Tensor input, long features) where TModule : nn.Module, IQuantizedModule
    {
        if (input.dtype != ScalarType.Float32)
            throw new ArgumentException($"{Float32OnCpu.Name(module)} takes float32, found {input.dtype}: convert the input with .to(ScalarType.Float32).", nameof(input));
        if (input.device_type != DeviceType.CPU)
            throw new ArgumentException($"{Float32OnCpu.Name(module)} computes on the CPU, and the input is on {input.device}: move it with .cpu().", nameof(input));
        var shape = input.shape;
        if (shape.Length == 0 || shape[^1] != features)
            throw new ArgumentException($"{Float32OnCpu.Name(module)} takes inputs of the shape [..., {features}], found [{string.Join(", ", shape)}].", nameof(input));
        return shape;
    }

    /// <summary>What a kernel refused, with the module's name before it.</summary>
    public static ArgumentException Refused(IQuantizedModule module, ArgumentException inner) => new($"{Float32OnCpu.Name(module)}: {inner.Message}", inner);
}
