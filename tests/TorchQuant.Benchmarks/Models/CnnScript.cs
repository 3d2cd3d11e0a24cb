using System.Globalization;
using System.Text;

namespace TorchQuant.Benchmarks.Models;

/// <summary>
/// Writes a plan as TorchScript, a line for each step. The packed weights are attributes: methods append them one layer after the other. Int8 as torch.ao's converted models compute,
/// float as conv2d and relu_ (plain), and with weights in oneDNN's layout and fused activations (as torch.jit.optimize_for_inference writes it).
/// </summary>
internal static class CnnScript
{
    public static readonly IReadOnlyList<(string Name, string Type)> Attributes =
    [
        ("convs", "List[__torch__.torch.classes.quantized.Conv2dPackedParamsBase]"), ("linear", "__torch__.torch.classes.quantized.LinearPackedParamsBase"), ("weights", "List[Tensor]"),
    ];

    private const string Header = """
        def start(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          self.convs = annotate(List[__torch__.torch.classes.quantized.Conv2dPackedParamsBase], [])
          return a
        def pack_conv(self: __torch__.Operators,
            codes: Tensor,
            scales: Tensor,
            bias: Tensor,
            stride: int,
            pad: int,
            groups: int) -> Tensor:
          qw = torch._make_per_channel_quantized_tensor(codes, scales, torch.zeros([torch.size(codes, 0)], dtype=4), 0)
          convs = unchecked_cast(List[__torch__.torch.classes.quantized.Conv2dPackedParamsBase], self.convs)
          _0 = torch.append(convs, ops.quantized.conv2d_prepack(qw, bias, [stride, stride], [pad, pad], [1, 1], groups))
          return codes
        def pack_linear(self: __torch__.Operators,
            codes: Tensor,
            scales: Tensor,
            bias: Tensor) -> Tensor:
          qw = torch._make_per_channel_quantized_tensor(codes, scales, torch.zeros([torch.size(codes, 0)], dtype=4), 0)
          self.linear = ops.quantized.linear_prepack(qw, bias)
          return codes
        def keep(self: __torch__.Operators,
            weights: List[Tensor]) -> Tensor:
          self.weights = weights
          return weights[0]
        def reorder_conv(self: __torch__.Operators,
            w: Tensor,
            stride: int,
            pad: int,
            groups: int,
            like: Tensor) -> Tensor:
          return ops.mkldnn._reorder_convolution_weight(w, [pad, pad], [stride, stride], [1, 1], groups, torch.size(like))
        def run(self: __torch__.Operators,
            a: Tensor,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          for i in range(n):
            _0 = (self).forward(xs[torch.__and__(i, 1)], )
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        def forward(self: __torch__.Operators,
            x: Tensor) -> Tensor:
        """;

    public static string Int8(CnnPlan plan)
    {
        var body = new StringBuilder(Header).Append("\n  convs = unchecked_cast(List[__torch__.torch.classes.quantized.Conv2dPackedParamsBase], self.convs)");
        body.Append("\n  linear = unchecked_cast(__torch__.torch.classes.quantized.LinearPackedParamsBase, self.linear)");
        int conv = 0;
        foreach (CnnStep step in plan.Steps)
        {
            string qparams = string.Create(CultureInfo.InvariantCulture, $"{(double)step.Codes.Scale:R}, {step.Codes.ZeroPoint}");
            Line(body, step, step switch
            {
                QuantizeStep s => $"torch.quantize_per_tensor({s.Input}, {qparams}, 13)",
                ConvStep s => $"ops.quantized.conv2d{(s.Relu == ReluKind.None ? "" : "_relu")}({s.Input}, convs[{conv++}], {qparams})",
                AddStep s => $"ops.quantized.add{(s.Relu ? "_relu" : "")}({s.Left}, {s.Right}, {qparams})",
                LinearStep s => $"ops.quantized.linear({s.Input}, linear, {qparams})",
                DequantizeStep s => $"torch.dequantize({s.Input})",
                _ => Pooling(step),
            });
        }

        return body.Append("\n  return y").ToString();
    }

    public static string Float(CnnPlan plan, bool oneDnn)
    {
        var body = new StringBuilder(Header).Append("\n  w = unchecked_cast(List[Tensor], self.weights)");
        int layer = 0;
        foreach (CnnStep step in plan.Steps)
        {
            Line(body, step, step switch
            {
                QuantizeStep s => s.Input,
                DequantizeStep s => s.Input,
                ConvStep s => oneDnn ? FusedConv(s, layer++) : PlainConv(s, layer++),
                AddStep s => s.Relu ? $"torch.relu_(torch.add({s.Left}, {s.Right}))" : $"torch.add({s.Left}, {s.Right})",
                LinearStep s => $"torch.linear({s.Input}, w[{2 * layer}], w[{2 * layer + 1}])",
                _ => Pooling(step),
            });
        }

        return body.Append("\n  return y").ToString();
    }

    private static string PlainConv(ConvStep s, int layer)
    {
        string conv = $"torch.conv2d({s.Input}, w[{2 * layer}], w[{2 * layer + 1}], [{s.Stride}, {s.Stride}], [{s.Padding}, {s.Padding}], [1, 1], {s.Groups})";
        return s.Relu switch { ReluKind.Relu => $"torch.relu_({conv})", ReluKind.Relu6 => $"torch.hardtanh_({conv}, 0., 6.)", _ => conv };
    }

    private static string FusedConv(ConvStep s, int layer)
    {
        (string activation, string bounds) = s.Relu switch { ReluKind.Relu => ("relu", "[]"), ReluKind.Relu6 => ("hardtanh", "[0., 6.]"), _ => ("none", "[]") };
        string arguments = $"{s.Input}, w[{2 * layer}], w[{2 * layer + 1}], [{s.Padding}, {s.Padding}], [{s.Stride}, {s.Stride}], [1, 1], {s.Groups}";
        return $"ops.mkldnn._convolution_pointwise({arguments}, \"{activation}\", annotate(List[Optional[number]], {bounds}), None)";
    }

    private static string Pooling(CnnStep step) => step switch
    {
        MaxPoolStep s => $"torch.max_pool2d({s.Input}, [3, 3], [2, 2], [1, 1], [1, 1], False)",
        AveragePoolStep s => $"torch.flatten(torch.adaptive_avg_pool2d({s.Input}, [1, 1]), 1)",
        _ => throw new NotSupportedException($"A step {step.GetType().Name} has no TorchScript here."),
    };

    private static void Line(StringBuilder body, CnnStep step, string expression) => body.Append("\n  ").Append(step.Output).Append(" = ").Append(expression);
}
