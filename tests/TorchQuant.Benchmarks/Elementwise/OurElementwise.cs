using TorchQuant.Benchmarks.Races;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Elementwise;

/// <summary>TorchQuant.Kernels' elementwise operations.</summary>
internal static class OurElementwise
{
    public static IContender Create(ElementwiseData data, int threads)
    {
        if (data.GivesFloats)
        {
            float[] floats = new float[data.Length];
            return new OurContender("ours", threads, () => Quantizer.Dequantize(data.A, floats, Operation.First, threads), name => data.CheckFloats(name, floats));
        }

        byte[] codes = new byte[data.Length];
        return new OurContender("ours", threads, Run(data, codes, threads), name => data.CheckCodes(name, codes));
    }

    private static Action Run(ElementwiseData data, byte[] output, int threads)
    {
        Operation operation = data.Operation;
        switch (operation.Kind)
        {
            case OperationKind.Quantize:
                return () => Quantizer.Quantize(data.FloatA, output, operation.Output, threads: threads);
            case OperationKind.Single:
                CodeTable table = CodeTable.FromFunction(x => (float)operation.Real(x, 0), Operation.First, operation.Output);
                return () => table.Apply(data.A, output, threads);
            default:
                bool relu = operation.Name.EndsWith("relu", StringComparison.Ordinal);
                return operation.Name == "mul"
                    ? () => Int8Mul.Multiply(data.A, Operation.First, data.B, Operation.Second, output, operation.Output, relu, threads)
                    : () => Int8Add.Add(data.A, Operation.First, data.B, Operation.Second, output, operation.Output, relu, threads);
        }
    }
}
