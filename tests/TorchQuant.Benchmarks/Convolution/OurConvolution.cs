using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Convolution;

/// <summary>TorchQuant.Kernels' convolution, channels last, in aligned memory as the peers' tensors have it.</summary>
internal static class OurConvolution
{
    public static IContender Create(ConvData data, int threads)
    {
        ConvShape s = data.Shape;
        var shape = new ConvolutionShape(s.In, s.Out, [s.Kernel, s.Kernel], [s.Stride, s.Stride], [s.Padding, s.Padding], groups: s.Groups);
        PackedConvolution weights = PackedConvolution.Pack(data.Weights, shape, data.Scales);
        AlignedBytes input = AlignedBytes.Of(data.Codes), output = new(s.OutputLength);
        int[] size = [s.Size, s.Size];
        return new OurContender(
            "ours",
            threads,
            () => Int8Convolution.Run(input.Span, s.Batch, size, Draw.Activations, weights, data.Bias, data.Output, FusedActivation.Relu, output.Span, threads),
            name => Agreement.OfCodes(name, data.ExpectedCodes, data.AtChannelsLast<byte>(output.Span), allowed: 1));
    }
}
