using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>What a quantized module answers to <c>to(...)</c>: it computes in float32 on the CPU, and anything else is refused with the mend.</summary>
internal static class Float32OnCpu
{
    /// <summary>Refuses every element type but float32.</summary>
    /// <exception cref="InvalidOperationException">The type is another; the message names the module and the mend.</exception>
    public static void Require(IQuantizedModule module, ScalarType dtype)
    {
        if (dtype != ScalarType.Float32)
            throw new InvalidOperationException(
                $"{Name(module)} cannot be converted to {dtype}: a quantized module keeps its integer weights and takes and gives float32. " +
                $"Convert the float model before quantizing it, or convert the tensors around the module.");
    }

    /// <summary>Refuses every device but the CPU.</summary>
    /// <exception cref="InvalidOperationException">The device is another; the message names the module and the mend.</exception>
    public static void Require(IQuantizedModule module, DeviceType device)
    {
        if (device != DeviceType.CPU)
            throw new InvalidOperationException(
                $"{Name(module)} cannot be moved to {device}: quantized modules compute on the CPU. " +
                $"Keep the quantized model on the CPU, and move the float model instead.");
    }

    /// <summary>The module as messages name it: <c>decoder (DynamicQuantizedLinear)</c>, or the kind alone where no path is known.</summary>
    public static string Name(IQuantizedModule module) => module.Path.Length == 0 ? module.Kind : $"{module.Path} ({module.Kind})";
}
