using System.Globalization;
using TorchQuant.Interactive.Rendering;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>The scales of a quantized module, read from its state: <c>scale</c> and <c>zero_point</c> are those of its output, names that end with <c>_scale</c> those of its weights.</summary>
/// <param name="Scale">Of the output; null where the output is float.</param>
/// <param name="ZeroPoint">Of the output.</param>
/// <param name="WeightScales">From the least to the greatest, with their number; null where there are none.</param>
internal sealed record ModuleQParams(string? Scale, string? ZeroPoint, string? WeightScales)
{
    /// <summary>Null where the state has no scale.</summary>
    public static ModuleQParams? Of(IQuantizedModule module)
    {
        string? scale = null, zeroPoint = null;
        var weights = new List<double>();
        foreach (var (name, tensor) in module.ExportState())
        {
            using (tensor)
            {
                if (name == "scale") scale = NumberText.Short(Numbers(tensor)[0], 4);
                else if (name == "zero_point") zeroPoint = Numbers(tensor)[0].ToString(CultureInfo.InvariantCulture);
                else if (name.EndsWith("_scale", StringComparison.Ordinal)) weights.AddRange(Numbers(tensor));
            }
        }
        if (scale is null && weights.Count == 0) return null;
        var range = weights.Count switch
        {
            0 => null,
            1 => NumberText.Short(weights[0]),
            _ => $"{NumberText.Short(weights.Min())} to {NumberText.Short(weights.Max())} ({NumberText.Fixed(weights.Count, 0)})",
        };
        return new ModuleQParams(scale, zeroPoint, range);
    }

    private static double[] Numbers(Tensor tensor)
    {
        using var numbers = tensor.to(ScalarType.Float64, copy: true);
        return numbers.data<double>().ToArray();
    }
}
