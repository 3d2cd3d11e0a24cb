using System.Runtime.InteropServices;
using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.LinearLayers;

/// <summary>TorchQuant.Kernels on the shapes of a linear layer.</summary>
internal static class OurLinear
{
    public static IContender Static(LinearData data, int threads)
    {
        LinearShape shape = data.Shape;
        PackedWeights weights = PackedWeights.Pack(data.Weights, shape.N, shape.K, data.Scales);
        AlignedBytes codes = AlignedBytes.Of(data.Codes), output = new(shape.M * shape.N);
        return new OurContender(
            "ours",
            threads,
            () => Int8Gemm.MultiplyToByte(codes.Span, shape.M, Draw.Activations, weights, data.Bias, data.Output, FusedActivation.None, output.Span, threads),
            name => Agreement.OfCodes(name, data.ExpectedCodes, data.At<byte>(output.Span), allowed: 1));
    }

    public static IContender Dynamic(LinearData data, int threads)
    {
        LinearShape shape = data.Shape;
        var linear = new Int8Linear(PackedWeights.Pack(data.Weights, shape.N, shape.K, data.Scales), data.Bias, reduceRange: false);
        AlignedBytes x = AlignedBytes.Of(MemoryMarshal.AsBytes<float>(data.X)), output = new(shape.M * shape.N * sizeof(float));
        return new OurContender(
            "ours",
            threads,
            () => linear.Multiply(Floats(x), shape.M, Floats(output), threads: threads),
            name => Agreement.OfFloats(name, data.ExpectedFloats, data.At<float>(Floats(output)), data.DynamicTolerance));
    }

    private static Span<float> Floats(AlignedBytes bytes) => MemoryMarshal.Cast<byte, float>(bytes.Span);
}
