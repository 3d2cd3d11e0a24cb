using System.Globalization;
using System.Runtime.InteropServices;
using TorchQuant.Interactive.Rendering;
using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>A tensor as a small table, and as a heat map where it has values enough; a quantized one with what its codes stand for.</summary>
internal static class TensorView
{
    private const int Shown = 8;
    private const long MostDrawn = 1 << 22;

    public static Visual Of(Tensor tensor, string title)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.IsInvalid) return new Table(title, ["tensor", ""], [["state", "disposed"]]);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var rows = new List<object?[]>
        {
            new object?[] { "shape", tensor.dim() == 0 ? "scalar" : string.Join(" × ", tensor.shape) },
            new object?[] { "type", new Cell($"{tensor.dtype}, {tensor.device_type}, {NumberText.Bytes(tensor.numel() * tensor.element_size())}", Palette.ForName(TypeName(tensor)) ?? "") },
        };
        if (tensor.numel() == 0 || !(tensor.is_floating_point() || tensor.is_integral() || tensor.is_quantized())) return new Table(title, ["tensor", ""], rows);
        var values = tensor.detach().cpu();
        if (tensor.is_quantized())
        {
            AddQParams(values, rows);
            values = values.dequantize();
        }
        var numbers = values.to(ScalarType.Float64).reshape(-1);
        AddValues(numbers, rows);
        var table = new Table(title, ["tensor", ""], rows);
        if (tensor.numel() is < 4 or > MostDrawn) return table;
        return new VisualGroup([table, HeatMapOf(tensor.shape, numbers.data<double>().ToArray())]);
    }

    private static string TypeName(Tensor tensor) => tensor.dtype switch
    {
        ScalarType.QInt8 or ScalarType.QUInt8 or ScalarType.QInt32 => "quantized",
        ScalarType.Float16 or ScalarType.BFloat16 => "float16",
        ScalarType.Float32 or ScalarType.Float64 => "float",
        _ => "",
    };

    private static void AddQParams(Tensor tensor, List<object?[]> rows)
    {
        if (ChannelAxis(tensor) is { } axis)
        {
            double[] scales = Numbers(tensor.q_per_channel_scales()), zeroPoints = Numbers(tensor.q_per_channel_zero_points());
            rows.Add(["quantized", $"per channel, axis {axis.ToString(CultureInfo.InvariantCulture)}, {NumberText.Fixed(scales.Length, 0)} channels"]);
            rows.Add(["scale", Range(scales)]);
            rows.Add(["zero point", Range(zeroPoints)]);
        }
        else
        {
            rows.Add(["quantized", "per tensor"]);
            rows.Add(["scale", NumberText.Short(tensor.q_scale(), 5)]);
            rows.Add(["zero point", NumberText.Fixed(tensor.q_zero_point(), 0)]);
        }
        rows.Add(["codes", Range(Numbers(tensor.int_repr()))]);
    }

    // libtorch does not say how a tensor is quantized; it refuses to give an axis where there is none.
    private static long? ChannelAxis(Tensor tensor)
    {
        try
        {
            return tensor.q_per_channel_axis();
        }
        catch (ExternalException)
        {
            return null;
        }
    }

    private static double[] Numbers(Tensor tensor) => tensor.to(ScalarType.Float64).reshape(-1).data<double>().ToArray();

    private static string Range(double[] values) => values.Min() == values.Max() ? NumberText.Short(values[0], 4) : $"{NumberText.Short(values.Min(), 4)} to {NumberText.Short(values.Max(), 4)}";

    private static void AddValues(Tensor numbers, List<object?[]> rows)
    {
        var finite = numbers.masked_select(numbers.isfinite());
        if (finite.numel() > 0)
        {
            rows.Add(["least, mean, greatest", $"{NumberText.Short(finite.min().item<double>(), 4)}, {NumberText.Short(finite.mean().item<double>(), 4)}, {NumberText.Short(finite.max().item<double>(), 4)}"]);
            if (finite.numel() > 1) rows.Add(["standard deviation", NumberText.Short(finite.std().item<double>(), 4)]);
            var zeros = finite.numel() - finite.count_nonzero().item<long>();
            if (zeros > 0) rows.Add(["zeros", $"{NumberText.Fixed(zeros, 0)} ({NumberText.Short(100.0 * zeros / numbers.numel())} %)"]);
        }
        if (finite.numel() < numbers.numel()) rows.Add(["not finite", NumberText.Fixed(numbers.numel() - finite.numel(), 0)]);
        var first = numbers.slice(0, 0, Math.Min(Shown, numbers.numel()), 1).data<double>().ToArray();
        rows.Add(["first values", string.Join(", ", first.Select(value => NumberText.Short(value, 4))) + (numbers.numel() > Shown ? ", …" : "")]);
    }

    // The first axis down, all others across: a layer's weights have an output in each row.
    private static HeatMap HeatMapOf(long[] shape, double[] numbers)
    {
        var rows = shape.Length < 2 ? 1 : (int)shape[0];
        var names = shape.Length < 2 ? "index" : shape.Length == 2 ? "axis 1" : $"axes 1 to {shape.Length - 1}";
        var map = HeatMap.Of("", rows, numbers.Length / rows, numbers);
        return map with { RowLabel = shape.Length < 2 ? "" : "axis 0", ColumnLabel = names, Width = 560 };
    }
}
