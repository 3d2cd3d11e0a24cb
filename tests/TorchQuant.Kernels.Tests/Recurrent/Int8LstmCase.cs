using TorchQuant.Kernels.Tests.Elementwise;

namespace TorchQuant.Kernels.Tests;

/// <summary>A static int8 LSTM layer in one direction with a sequence for it, and its plain reference: one element after the other, from the formulas of the documentation.</summary>
internal sealed class Int8LstmCase
{
    private readonly Weights _input, _hidden;
    private readonly Random _random;

    public Int8LstmCase(int seed, int input, int hidden, int steps, int batch, bool reverse)
    {
        _random = new Random(seed);
        (Steps, Batch, Reverse) = (steps, batch, reverse);
        bool perChannel = seed % 2 == 0, biased = seed % 3 != 0;
        (_input, _hidden) = (Next(4 * hidden, input, perChannel), Next(4 * hidden, hidden, perChannel));
        QParams gates = Next(8), cell = Next(4);
        Cell = new Int8LstmCell(
            Product(_input, biased, Next(6)), Product(_hidden, biased, Next(6)), Next(3), Next(2), Next(2),
            CodeTable.FromFunction(static x => 1 / (1 + MathF.Exp(-x)), gates, Int8LstmCell.SigmoidOutput),
            CodeTable.FromFunction(MathF.Tanh, gates, Int8LstmCell.TanhOutput), CodeTable.FromFunction(MathF.Tanh, cell, Int8LstmCell.TanhOutput));
        (XParams, HParams, CParams) = (Next(4), seed % 5 == 0 ? new QParams(1, 0) : Next(2), Next(4));
        (X, H0, C0) = (Codes(steps * batch * input), Codes(batch * hidden), Codes(batch * hidden));
    }

    public Int8LstmCell Cell { get; }

    public int Steps { get; }

    public int Batch { get; }

    public bool Reverse { get; }

    public QParams XParams { get; }

    public QParams HParams { get; }

    public QParams CParams { get; }

    public byte[] X { get; }

    public byte[] H0 { get; }

    public byte[] C0 { get; }

    public int Hidden => Cell.HiddenSize;

    /// <summary>A random case; sizes up to two vectors of 16 and one more.</summary>
    public static Int8LstmCase Create(int seed)
    {
        var random = new Random(seed);
        return new Int8LstmCase(seed, 1 + random.Next(33), 1 + random.Next(33), 1 + random.Next(5), 1 + random.Next(4), random.Next(2) == 0);
    }

    /// <summary>y, h and c one after the other.</summary>
    public byte[] Run(Isa isa, int threads = 1)
    {
        byte[] h = [.. H0], c = [.. C0], y = new byte[Steps * Batch * Hidden];
        Int8LstmLayer.Run(isa, X, XParams, Batch, Cell, h, HParams, c, CParams, y, Hidden, Reverse, threads);
        return [.. y, .. h, .. c];
    }

    /// <summary>What <see cref="Run"/> must give.</summary>
    public byte[] Expected()
    {
        byte[] h = [.. H0], c = [.. C0], y = new byte[Steps * Batch * Hidden];
        QParams hParams = HParams, cParams = CParams;
        for (int i = 0; i < Steps; i++)
        {
            int first = (Reverse ? Steps - 1 - i : i) * Batch;
            byte[] inputGates = Product(_input, Cell.Input, X[(first * _input.K)..((first + Batch) * _input.K)], XParams);
            byte[] hiddenGates = Product(_hidden, Cell.Hidden, h, hParams);
            for (int row = 0; row < Batch; row++)
            {
                for (int unit = 0; unit < Hidden; unit++)
                {
                    byte Gate(int gate)
                    {
                        int at = (row * 4 + gate) * Hidden + unit;
                        byte sum = CodeReference.Add(inputGates[at], Cell.Input.Output, hiddenGates[at], Cell.Hidden.Output, Cell.GateSum, relu: false);
                        return (gate == 2 ? Cell.Tanh : Cell.Sigmoid).Codes[sum];
                    }

                    int state = row * Hidden + unit;
                    byte kept = CodeReference.Multiply(Gate(1), Int8LstmCell.SigmoidOutput, c[state], cParams, Cell.KeptCell, relu: false);
                    byte added = CodeReference.Multiply(Gate(0), Int8LstmCell.SigmoidOutput, Gate(2), Int8LstmCell.TanhOutput, Cell.NewCell, relu: false);
                    c[state] = CodeReference.Add(kept, Cell.KeptCell, added, Cell.NewCell, Cell.Cell, relu: false);
                    h[state] = CodeReference.Multiply(Gate(3), Int8LstmCell.SigmoidOutput, Cell.CellTanh.Codes[c[state]], Int8LstmCell.TanhOutput, Cell.Output, relu: false);
                }
            }

            (hParams, cParams) = (Cell.Output, Cell.Cell);
            h.CopyTo(y, first * Hidden);
        }

        return [.. y, .. h, .. c];
    }

    private static byte[] Product(Weights weights, Int8Product product, byte[] codes, QParams qparams)
    {
        int rows = codes.Length / weights.K;
        long[,] sums = Reference.Sums(codes, rows, qparams.ZeroPoint, weights);
        byte[] output = new byte[rows * weights.N];
        for (int row = 0; row < rows; row++)
        {
            for (int n = 0; n < weights.N; n++)
                output[row * weights.N + n] = (byte)Reference.ToByte(sums[row, n], qparams, weights.Scale(n), weights.Scales.Length == 1, product.Bias?[n], product.Output, FusedActivation.None);
        }

        return output;
    }

    private Int8Product Product(Weights weights, bool biased, QParams output) =>
        new(weights.Pack(), biased ? [.. Enumerable.Range(0, weights.N).Select(_ => _random.NextSingle() - 0.5f)] : null, output);

    /// <summary>Weights whose sums of products are neither all within a code nor all beyond the range.</summary>
    private Weights Next(int rows, int columns, bool perChannel)
    {
        sbyte[] codes = [.. Codes(rows * columns).Select(code => (sbyte)(code - 128))];
        float[] scales = [.. Enumerable.Range(0, perChannel ? rows : 1).Select(_ => (0.5f + _random.NextSingle()) / (64 * MathF.Sqrt(columns)))];
        return new Weights(codes, rows, columns, scales, []);
    }

    /// <summary>Qparams that hold numbers up to about this magnitude.</summary>
    private QParams Next(float magnitude) => new(magnitude * 2 / 255 * (0.8f + 0.4f * _random.NextSingle()), 100 + _random.Next(56));

    private byte[] Codes(int count)
    {
        byte[] codes = new byte[count];
        _random.NextBytes(codes);
        return codes;
    }
}
