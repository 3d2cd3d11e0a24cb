using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The hook of average pooling in quantization-aware training. Converted models round the mean of codes to a code of the input's scale and zero point: the prepared model rounds it as they do, by the int8
/// module; the gradient is that of the mean.
/// </summary>
/// <param name="path">The module's dotted path, for messages.</param>
/// <param name="qconfig">The qconfig that <c>prepare_qat</c> decided for the module.</param>
internal sealed class PoolingHook(string path, QConfig qconfig) : ICopiedWithModel
{
    private static readonly HashSet<Type> s_types = [typeof(AvgPool1d), typeof(AvgPool2d), typeof(AvgPool3d), typeof(AdaptiveAvgPool1d), typeof(AdaptiveAvgPool2d), typeof(AdaptiveAvgPool3d)];

    /// <summary>Whether a module rounds where it pools codes.</summary>
    public static bool Is(nn.Module module) => s_types.Contains(module.GetType());

    /// <summary>The hook.</summary>
    /// <exception cref="InvalidOperationException">Codes cannot be pooled so; the message names the module.</exception>
    public Tensor Round(nn.Module<Tensor, Tensor> module, Tensor input, Tensor output)
    {
        try
        {
            using var int8 = CodePooling.Of(path, module, qconfig);
            return Int8Twin.OnInputGrid((nn.Module<Tensor, Tensor>?)int8 ?? module, output, input);
        }
        catch (Exception e) when (e is ArgumentException or ExternalException)
        {
            throw new InvalidOperationException(
                $"{path} ({CSharpNames.Of(module.GetType())}): after conversion it is to pool int8 codes, which is refused: {e.Message} Put a DeQuantStub before it and a QuantStub after it, and set its qconfig to null.", e);
        }
    }
}
