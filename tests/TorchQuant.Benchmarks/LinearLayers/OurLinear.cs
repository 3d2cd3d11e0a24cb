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
        byte[] output = new byte[shape.M * shape.N];
        return new OurContender(
            "ours",
            threads,
            () => Int8Gemm.MultiplyToByte(data.Codes, shape.M, Draw.Activations, weights, data.Bias, data.Output, FusedActivation.None, output, threads),
            name => Agreement.OfCodes(name, data.ExpectedCodes, data.At<byte>(output), allowed: 1));
    }

    public static IContender Dynamic(LinearData data, int threads)
    {
        LinearShape shape = data.Shape;
        var linear = new Int8Linear(PackedWeights.Pack(data.Weights, shape.N, shape.K, data.Scales), data.Bias, reduceRange: false);
        float[] output = new float[shape.M * shape.N];
        return new OurContender(
            "ours",
            threads,
            () => linear.Multiply(data.X, shape.M, output, threads: threads),
            name => Agreement.OfFloats(name, data.ExpectedFloats, data.At<float>(output), data.DynamicTolerance));
    }
}
