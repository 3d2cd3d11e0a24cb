using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>What all implementations of a recurrent network get, and the outputs of its first sequence in double precision.</summary>
internal sealed class RecurrentData
{
    /// <summary>Outputs lie within -1..1. An engine of 7 bits is off by a hundredth of that or less; one that mixes up gates or weights, by all of it.</summary>
    private const double Int8Tolerance = 0.03, FloatTolerance = 1e-4;

    public RecurrentData(RecurrentCase shape)
    {
        Shape = shape;
        var random = new Random(1);
        X = Draw.Floats(shape.Steps * shape.Batch * shape.Inputs, 1, random);
        Cells =
        [
            .. Enumerable.Range(0, shape.Layers).Select(layer =>
            {
                int rows = shape.Gates * shape.Hidden;
                // PyTorch's initialization: uniform within 1 / sqrt(hidden).
                float limit = 1 / MathF.Sqrt(shape.Hidden);
                return new CellData(
                    Draw.WeightCodes(rows * shape.InputsOf(layer), random), limit / 127, Draw.WeightCodes(rows * shape.Hidden, random), limit / 127, Draw.Floats(rows, limit, random), Draw.Floats(rows, limit, random));
            }),
        ];
        Expected = RecurrentReference.FirstSequence(this);
    }

    public RecurrentCase Shape { get; }

    /// <summary>[steps, batch, inputs].</summary>
    public float[] X { get; }

    public IReadOnlyList<CellData> Cells { get; }

    /// <summary>The last layer's hidden states of the first sequence: [steps, hidden].</summary>
    public double[] Expected { get; }

    public int OutputLength => Shape.Steps * Shape.Batch * Shape.Hidden;

    /// <summary>Compares [steps, batch, hidden].</summary>
    public Agreement Check(string name, ReadOnlySpan<float> y, bool isInt8)
    {
        float[] first = new float[Expected.Length];
        for (int step = 0; step < Shape.Steps; step++)
            y.Slice(step * Shape.Batch * Shape.Hidden, Shape.Hidden).CopyTo(first.AsSpan(step * Shape.Hidden));
        return Agreement.OfFloats(name, Expected, first, isInt8 ? Int8Tolerance : FloatTolerance);
    }
}
