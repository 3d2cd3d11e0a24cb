using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace TorchQuant.Modules;

/// <summary>A float convolution, transposed or not, with another weight and bias than its own: what its forward does.</summary>
internal static class FloatConvolution
{
    /// <summary>Whether the input is [batch, channels, spatial...] or [channels, spatial...] of the module.</summary>
    public static bool Takes(Convolution module, Tensor input)
    {
        var (dims, dimensions) = (module.kernel_size.Length, input.dim());
        return (dimensions == dims + 2 && input.size(1) == module.in_channels) || (dimensions == dims + 1 && input.size(0) == module.in_channels);
    }

    /// <summary>Computes.</summary>
    /// <param name="module">Gives stride, padding and so on.</param>
    /// <param name="input">What <see cref="Takes"/>.</param>
    /// <param name="weight">Of the shape of the module's.</param>
    /// <param name="bias">One for each output channel, or null.</param>
    public static Tensor Run(Convolution module, Tensor input, Tensor weight, Tensor? bias)
    {
        if (module.transposed)
            return Transposed(module, input, weight, bias);
        if (module.padding_mode is not (PaddingModes.Zeros or PaddingModes.Constant))
        {
            var options = ConvolutionOptions.Of(module, "");
            using var padded = F.pad(input, Reversed(options), module.padding_mode);
            return Plain(module, padded, weight, bias, [.. module.kernel_size.Select(_ => 0L)]);
        }

        return module.padding_type is { } type ? Padded(module, input, weight, bias, type) : Plain(module, input, weight, bias, module.padding!);
    }

    /// <summary>What is added before and after each dimension, the last dimension first.</summary>
    private static long[] Reversed(ConvolutionOptions options) =>
        [.. Enumerable.Range(0, options.Dimensions).Reverse().SelectMany(d => (long[])[options.Padding[d], options.PaddingEnd[d]])];

    private static Tensor Plain(Convolution m, Tensor x, Tensor w, Tensor? b, long[] padding) => m.kernel_size.Length switch
    {
        1 => F.conv1d(x, w, b, m.stride[0], padding[0], m.dilation[0], m.groups),
        2 => F.conv2d(x, w, b, m.stride, padding, m.dilation, m.groups),
        _ => F.conv3d(x, w, b, m.stride, padding, m.dilation, m.groups),
    };

    private static Tensor Padded(Convolution m, Tensor x, Tensor w, Tensor? b, Padding padding) => m.kernel_size.Length switch
    {
        1 => F.conv1d_padding(x, w, b, m.stride[0], padding, m.dilation[0], m.groups),
        2 => F.conv2d_padding(x, w, b, m.stride, padding, m.dilation, m.groups),
        _ => F.conv3d_padding(x, w, b, m.stride, padding, m.dilation, m.groups),
    };

    private static Tensor Transposed(Convolution m, Tensor x, Tensor w, Tensor? b) => m.kernel_size.Length switch
    {
        1 => F.conv_transpose1d(x, w, b, m.stride[0], m.padding![0], m.output_padding[0], m.dilation[0], m.groups),
        2 => F.conv_transpose2d(x, w, b, m.stride, m.padding!, m.output_padding, m.dilation, m.groups),
        _ => F.conv_transpose3d(x, w, b, m.stride, m.padding!, m.output_padding, m.dilation, m.groups),
    };
}
