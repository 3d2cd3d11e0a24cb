using TorchQuant.Interactive.Rendering;
using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>A tensor as a small table.</summary>
internal static class TensorView
{
    private const int Shown = 8;

    public static Table Of(Tensor tensor, string title)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.IsInvalid) return new Table(title, ["tensor", ""], [["state", "disposed"]]);
        var rows = new List<object?[]>
        {
            new object?[] { "shape", tensor.dim() == 0 ? "scalar" : string.Join(" × ", tensor.shape) },
            new object?[] { "type", $"{tensor.dtype}, {tensor.device_type}" },
        };
        if (tensor.numel() > 0 && tensor.is_floating_point() | tensor.is_integral()) AddValues(tensor, rows);
        return new Table(title, ["tensor", ""], rows);
    }

    private static void AddValues(Tensor tensor, List<object?[]> rows)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var numbers = tensor.detach().cpu().to(ScalarType.Float64).reshape(-1);
        var finite = numbers.masked_select(numbers.isfinite());
        if (finite.numel() > 0)
            rows.Add(["least, mean, greatest", $"{NumberText.Short(finite.min().item<double>(), 4)}, {NumberText.Short(finite.mean().item<double>(), 4)}, {NumberText.Short(finite.max().item<double>(), 4)}"]);
        if (finite.numel() < numbers.numel()) rows.Add(["not finite", NumberText.Fixed(numbers.numel() - finite.numel(), 0)]);
        var first = numbers.slice(0, 0, Math.Min(Shown, numbers.numel()), 1).data<double>().ToArray();
        rows.Add(["first values", string.Join(", ", first.Select(value => NumberText.Short(value, 4))) + (numbers.numel() > Shown ? ", …" : "")]);
    }
}
