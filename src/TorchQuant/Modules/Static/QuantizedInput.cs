using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Checks what flows into a statically quantized module, with messages that name the module and what is missing before it.</summary>
internal static class QuantizedInput
{
    /// <summary>The scale and the zero point of a tensor of quint8.</summary>
    /// <exception cref="ArgumentException">The tensor is float (a QuantStub is missing), or of another quantized type.</exception>
    public static QParams Read<TModule>(TModule module, Tensor input, string name = "input") where TModule : nn.Module, IQuantizedModule
    {
        var dtype = input.dtype;
        if (dtype != ScalarType.QUInt8)
            throw Refused(Float32OnCpu.Name(module), dtype, name);
        return TensorQParams.Of(input);
    }

    /// <summary>The exception for a tensor that is not of quint8.</summary>
    /// <param name="module">The module as messages name it.</param>
    /// <param name="dtype">What was found.</param>
    /// <param name="name">The argument's name.</param>
    public static ArgumentException Refused(string module, ScalarType dtype, string name) => new(
        dtype switch
        {
            ScalarType.QInt8 or ScalarType.QInt32 =>
                $"{module} takes activations of quint8, found {dtype}: observe activations with dtype: qdtype.quint8, as quantization.get_default_qconfig() does.",
            ScalarType.Byte =>
                $"{module} takes a quantized tensor (quint8 with scale and zero point), found plain {dtype} values: give float values to a QuantStub before this module.",
            _ => $"{module} takes a quantized tensor, found {dtype}: a QuantStub is missing before it (or a DeQuantStub too many). Add a field QuantStub quant to the model and call it on the "
                + "tensor before this module, then fuse, prepare, calibrate and convert again; or leave this module float by setting its qconfig to null before prepare.",
        },
        name);

    /// <summary>The exception for a shape that the module does not take.</summary>
    public static ArgumentException WrongShape<TModule>(TModule module, Tensor input, string expected) where TModule : nn.Module, IQuantizedModule =>
        new($"{Float32OnCpu.Name(module)} takes inputs of the shape {expected}, found [{string.Join(", ", input.shape)}].", nameof(input));
}
