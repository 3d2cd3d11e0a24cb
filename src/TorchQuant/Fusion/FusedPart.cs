using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The parts of fused modules as PyTorch prints them: TorchSharp's modules print no options.</summary>
internal static class FusedPart
{
    /// <summary>The class and the options that are not the default.</summary>
    public static string Describe(nn.Module module) => module switch
    {
        Convolution conv => Describe(conv),
        Linear linear => Text($"Linear(in_features={linear.in_features}, out_features={linear.out_features}, bias={linear.bias is not null})"),
        BatchNorm norm => Text($"{norm.GetType().Name}({norm.num_features}, eps={norm.eps}, momentum={norm.momentum}, affine={norm.affine}, track_running_stats={norm.track_running_stats})"),
        _ => $"{module.GetType().Name}()",
    };

    private static string Describe(Convolution conv)
    {
        List<string> options = [Text($"{conv.in_channels}"), Text($"{conv.out_channels}"), $"kernel_size={Tuple(conv.kernel_size)}", $"stride={Tuple(conv.stride)}"];
        if (conv.padding_type is { } type) options.Add(type == Padding.Same ? "padding=same" : "padding=valid");
        else if (conv.padding is { } padding && padding.Any(p => p != 0)) options.Add($"padding={Tuple(padding)}");
        if (conv.dilation.Any(d => d != 1)) options.Add($"dilation={Tuple(conv.dilation)}");
        if (conv.groups != 1) options.Add(Text($"groups={conv.groups}"));
        if (conv.bias is null) options.Add("bias=False");
        if (conv.padding_mode != PaddingModes.Zeros) options.Add(Text($"padding_mode={conv.padding_mode}"));
        return $"{conv.GetType().Name}({string.Join(", ", options)})";
    }

    private static string Tuple(long[] sizes) => $"({string.Join(", ", sizes.Select(s => s.ToString(CultureInfo.InvariantCulture)))}{(sizes.Length == 1 ? "," : "")})";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
