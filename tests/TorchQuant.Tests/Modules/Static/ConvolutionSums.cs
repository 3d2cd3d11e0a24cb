using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>Convolutions of integers by libtorch's operators for float64, which are exact: 53 bits hold all sums of 8-bit products.</summary>
internal static class ConvolutionSums
{
    /// <summary>The sums of (x - zx) * (w - zw) [batch, channels, spatial...] as float64.</summary>
    public static Tensor Of(ConvolutionCase sample, LayerCase layer)
    {
        var codes = layer.Codes.to(ScalarType.Float64) - tensor((double)layer.InputParams.ZeroPoint);
        var zeroPoints = layer.ZeroPoints.to(ScalarType.Float64);
        var weight = layer.Weight.to(ScalarType.Float64);
        long[] ones = [.. sample.Kernel.Select(_ => 1L)];
        if (sample.Transposed && layer.ZeroPoints.numel() > 1)
            weight = (weight.reshape([sample.Groups, sample.GroupInputs, sample.GroupOutputs, .. ConvolutionCase.Longs(sample.Kernel)]) - zeroPoints.reshape([sample.Groups, 1, sample.GroupOutputs, .. ones])).reshape(weight.shape);
        else
            weight -= zeroPoints.reshape([-1, 1, .. ones]);
        var (stride, padding, dilation) = (ConvolutionCase.Longs(sample.Stride), ConvolutionCase.Longs(sample.Padding), ConvolutionCase.Longs(sample.Dilation));
        if (sample.Transposed)
        {
            var outputPadding = ConvolutionCase.Longs(sample.OutputPadding);
            return sample.Dimensions switch
            {
                1 => nn.functional.conv_transpose1d(codes, weight, null, stride[0], padding[0], outputPadding[0], dilation[0], sample.Groups),
                2 => nn.functional.conv_transpose2d(codes, weight, null, stride, padding, outputPadding, dilation, sample.Groups),
                _ => nn.functional.conv_transpose3d(codes, weight, null, stride, padding, outputPadding, dilation, sample.Groups),
            };
        }

        codes = Padded(codes, sample);
        long[] none = [.. sample.Kernel.Select(_ => 0L)];
        return sample.Dimensions switch
        {
            1 => nn.functional.conv1d(codes, weight, null, stride[0], 0, dilation[0], sample.Groups),
            2 => nn.functional.conv2d(codes, weight, null, stride, none, dilation, sample.Groups),
            _ => nn.functional.conv3d(codes, weight, null, stride, none, dilation, sample.Groups),
        };
    }

    /// <summary>Padded as numpy.pad does, one dimension after the other.</summary>
    private static Tensor Padded(Tensor codes, ConvolutionCase sample)
    {
        for (var d = 0; d < sample.Dimensions; d++)
        {
            var (size, padding) = (sample.Size[d], sample.Padding[d]);
            var positions = Enumerable.Range(-padding, size + (2 * padding)).ToArray();
            long[] sources = [.. positions.Select(p => (long)(sample.PaddingMode switch
            {
                "reflect" => p < 0 ? -p : p >= size ? (2 * (size - 1)) - p : p,
                "circular" => ((p % size) + size) % size,
                _ => Math.Clamp(p, 0, size - 1),
            }))];
            codes = codes.index_select(d + 2, tensor(sources));
            if (sample.PaddingMode == "zeros")
                codes *= tensor(positions.Select(p => p >= 0 && p < size ? 1.0 : 0).ToArray()).reshape([-1, .. Enumerable.Repeat(1L, sample.Dimensions - 1 - d)]);
        }
        return codes;
    }
}
