using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// The pooling modules of quint8 tensors. libtorch's own pool such tensors too, to the same codes, so nothing is observed and nothing has to be replaced: <c>convert</c> puts ours in their place for speed, where the model can hold
/// them.
/// </summary>
internal static class CodePooling
{
    /// <summary>The module in the place of a pooling module of the float model.</summary>
    /// <param name="path">Its dotted path.</param>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="qconfig">The qconfig that <c>prepare</c> decided for it.</param>
    /// <returns>Null for what is none, and for options that only libtorch knows.</returns>
    public static nn.Module? Of(string path, nn.Module module, QConfig qconfig)
    {
        var conversion = new StaticConversion(path, qconfig, null);
        return module switch
        {
            MaxPool1d max => QuantizedMaxPool.from_float(max, conversion),
            MaxPool2d max => QuantizedMaxPool.from_float(max, conversion),
            MaxPool3d max => QuantizedMaxPool.from_float(max, conversion),
            AvgPool1d average => QuantizedAvgPool.from_float(average, conversion),
            AvgPool2d { divisor_override: not < 0 } average => QuantizedAvgPool.from_float(average, conversion),
            AvgPool3d { divisor_override: not < 0 } average => QuantizedAvgPool.from_float(average, conversion),
            AdaptiveAvgPool1d average => QuantizedAdaptiveAvgPool.from_float(average, conversion),
            AdaptiveAvgPool2d average => QuantizedAdaptiveAvgPool.from_float(average, conversion),
            AdaptiveAvgPool3d average => QuantizedAdaptiveAvgPool.from_float(average, conversion),
            _ => null,
        };
    }

    /// <summary>Whether a module may as well stay away: what a field declared <c>MaxPool2d</c> holds goes on as it is.</summary>
    public static bool IsOptional(nn.Module made) => made is QuantizedPool;
}
