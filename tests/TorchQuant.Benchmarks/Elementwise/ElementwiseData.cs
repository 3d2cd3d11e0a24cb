using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Elementwise;

/// <summary>The operands of an operation, and its results at some positions in double precision.</summary>
internal sealed class ElementwiseData
{
    private readonly int[] _positions;

    public ElementwiseData(Operation operation, int length)
    {
        (Operation, Length) = (operation, length);
        var random = new Random(1);
        A = Draw.ActivationCodes(length, random);
        B = Draw.ActivationCodes(length, random);
        FloatA = Draw.Dequantized(A, Operation.First);
        FloatB = Draw.Dequantized(B, Operation.Second);
        _positions = Samples.Of(length, random);
        ExpectedFloats = [.. _positions.Select(p => operation.Real(FloatA[p], FloatB[p]))];
        ExpectedCodes = [.. ExpectedFloats.Select(y => (byte)Math.Clamp(Math.Round(y / operation.Output.Scale, MidpointRounding.ToEven) + operation.Output.ZeroPoint, 0, 255))];
    }

    public Operation Operation { get; }

    public int Length { get; }

    public byte[] A { get; }

    public byte[] B { get; }

    public float[] FloatA { get; }

    public float[] FloatB { get; }

    public double[] ExpectedFloats { get; }

    public byte[] ExpectedCodes { get; }

    public bool GivesFloats => Operation.Kind == OperationKind.Dequantize;

    public Agreement CheckCodes(string name, ReadOnlySpan<byte> found) => Agreement.OfCodes(name, ExpectedCodes, Samples.At(found, _positions), allowed: 1);

    public Agreement CheckFloats(string name, ReadOnlySpan<float> found) => Agreement.OfFloats(name, ExpectedFloats, Samples.At(found, _positions), allowed: 1e-4);
}
