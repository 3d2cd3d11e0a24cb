namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>LSTM and GRU as PyTorch defines them, in double precision on the real weights and for the first sequence alone: sequences do not depend on each other.</summary>
internal static class RecurrentReference
{
    /// <summary>The last layer's hidden states: [steps, hidden].</summary>
    public static double[] FirstSequence(RecurrentData data)
    {
        RecurrentCase shape = data.Shape;
        double[] sequence = new double[shape.Steps * shape.Inputs];
        for (int step = 0; step < shape.Steps; step++)
        {
            for (int i = 0; i < shape.Inputs; i++)
                sequence[step * shape.Inputs + i] = data.X[step * shape.Batch * shape.Inputs + i];
        }

        for (int layer = 0; layer < shape.Layers; layer++)
            sequence = Layer(sequence, shape.InputsOf(layer), shape, data.Cells[layer]);
        return sequence;
    }

    private static double[] Layer(double[] x, int inputs, RecurrentCase shape, CellData cell)
    {
        double[] h = new double[shape.Hidden], c = new double[shape.Hidden], y = new double[shape.Steps * shape.Hidden];
        for (int step = 0; step < shape.Steps; step++)
        {
            double[] fromInput = Product(cell.Input, cell.InputScale, x.AsSpan(step * inputs, inputs), cell.InputBias);
            double[] fromHidden = Product(cell.Hidden, cell.HiddenScale, h, cell.HiddenBias);
            if (shape.Gates == RecurrentCase.Lstm)
                LstmStep(fromInput, fromHidden, h, c);
            else
                GruStep(fromInput, fromHidden, h);
            h.CopyTo(y, step * shape.Hidden);
        }

        return y;
    }

    /// <summary>Gates i, f, g, o.</summary>
    private static void LstmStep(double[] fromInput, double[] fromHidden, double[] h, double[] c)
    {
        int size = h.Length;
        for (int u = 0; u < size; u++)
        {
            c[u] = Sigmoid(Gate(1, u)) * c[u] + Sigmoid(Gate(0, u)) * Math.Tanh(Gate(2, u));
            h[u] = Sigmoid(Gate(3, u)) * Math.Tanh(c[u]);
        }

        double Gate(int gate, int unit) => fromInput[gate * size + unit] + fromHidden[gate * size + unit];
    }

    /// <summary>Gates r, z, n.</summary>
    private static void GruStep(double[] fromInput, double[] fromHidden, double[] h)
    {
        int size = h.Length;
        for (int u = 0; u < size; u++)
        {
            double r = Sigmoid(fromInput[u] + fromHidden[u]), z = Sigmoid(fromInput[size + u] + fromHidden[size + u]);
            double n = Math.Tanh(fromInput[2 * size + u] + r * fromHidden[2 * size + u]);
            h[u] = (1 - z) * n + z * h[u];
        }
    }

    private static double[] Product(sbyte[] weights, float scale, ReadOnlySpan<double> x, float[] bias)
    {
        double[] result = new double[bias.Length];
        for (int row = 0; row < bias.Length; row++)
        {
            double sum = 0;
            for (int k = 0; k < x.Length; k++)
                sum += weights[row * x.Length + k] * x[k];
            result[row] = sum * scale + bias[row];
        }

        return result;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
