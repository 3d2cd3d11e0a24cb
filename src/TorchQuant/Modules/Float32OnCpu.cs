using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>What a quantized module answers to <c>to(...)</c>: it computes in float32 on the CPU, and anything else is refused with the mend.</summary>
internal static class Float32OnCpu
{
    /// <summary>The body of <c>_to</c>: nothing to do, or a refusal.</summary>
    /// <returns><paramref name="module"/>.</returns>
    /// <exception cref="InvalidOperationException">The type is not float32 or the device is not the CPU; the message names the module and the mend.</exception>
    public static TModule Accept<TModule>(TModule module, ScalarType dtype = ScalarType.Float32, DeviceType device = DeviceType.CPU) where TModule : nn.Module, IQuantizedModule
    {
        if (dtype != ScalarType.Float32)
            throw new InvalidOperationException(
                $"{Name(module)} cannot be converted to {dtype}: a quantized module keeps its integer weights and takes and gives float32. " +
                "Convert the float model before quantizing it, or convert the tensors around the module.");
        if (device != DeviceType.CPU)
            throw new InvalidOperationException(
                $"{Name(module)} cannot be moved to {device}: quantized modules compute on the CPU. Keep the quantized model there, and move the float model instead.");
        return module;
    }

    /// <inheritdoc cref="Accept{TModule}(TModule, ScalarType, DeviceType)"/>
    public static TModule Accept<TModule>(TModule module, DeviceType device) where TModule : nn.Module, IQuantizedModule => Accept(module, ScalarType.Float32, device);

    /// <summary>The module as messages name it: <c>decoder (DynamicQuantizedLinear)</c>, or the kind alone where no path is known.</summary>
    public static string Name(IQuantizedModule module) => module.Path.Length == 0 ? module.Kind : $"{module.Path} ({module.Kind})";
}
