namespace TorchQuant.Kernels.Tests;

/// <summary>
/// LSTM and GRU in double on scalars, with PyTorch's dynamic quantization: the input product over all rows at once, the hidden product over the rows of a step. The hidden
/// states that are multiplied are those that the layer under test gave: they are quantized, and a state that differs in its last bit may give another code and so a
/// difference of a whole step. Everything else is computed anew, so an error of one step cannot hide behind the next.
/// </summary>
internal static class RecurrentReference
{
    /// <summary>The states after every row, [rows][H], and the cell states at the end of every sequence, [B][H].</summary>
    public static (double[][] Y, double[][] C) Lstm(SequenceCase sequence, LinearCase input, LinearCase hidden, float[] y)
    {
        double[,] v = input.Multiply(sequence.X, sequence.Rows);
        double[][] c = [.. Enumerable.Range(0, sequence.Batch).Select(b => sequence.C0[(b * sequence.Hidden)..((b + 1) * sequence.Hidden)].Select(value => (double)value).ToArray())];
        var result = new double[sequence.Rows][];
        foreach ((int step, int first) in sequence.Steps())
        {
            double[,] u = hidden.Multiply(sequence.StatesBefore(step, y), sequence.BatchSizes[step]);
            for (int b = 0; b < sequence.BatchSizes[step]; b++)
            {
                int row = first + b, width = sequence.Hidden;
                result[row] = new double[width];
                for (int unit = 0; unit < width; unit++)
                {
                    double Gate(int gate) => u[b, gate * width + unit] + v[row, gate * width + unit];
                    c[b][unit] = Sigmoid(Gate(1)) * c[b][unit] + Sigmoid(Gate(0)) * Math.Tanh(Gate(2));
                    result[row][unit] = Sigmoid(Gate(3)) * Math.Tanh(c[b][unit]);
                }
            }
        }

        return (result, c);
    }

    /// <summary>The states after every row, [rows][H].</summary>
    public static double[][] Gru(SequenceCase sequence, LinearCase input, LinearCase hidden, float[] y)
    {
        double[,] v = input.Multiply(sequence.X, sequence.Rows);
        var result = new double[sequence.Rows][];
        foreach ((int step, int first) in sequence.Steps())
        {
            float[] states = sequence.StatesBefore(step, y);
            double[,] u = hidden.Multiply(states, sequence.BatchSizes[step]);
            for (int b = 0; b < sequence.BatchSizes[step]; b++)
            {
                int row = first + b, width = sequence.Hidden;
                result[row] = new double[width];
                for (int unit = 0; unit < width; unit++)
                {
                    double r = Sigmoid(u[b, unit] + v[row, unit]);
                    double z = Sigmoid(u[b, width + unit] + v[row, width + unit]);
                    double n = Math.Tanh(v[row, 2 * width + unit] + r * u[b, 2 * width + unit]);
                    result[row][unit] = (states[b * width + unit] - n) * z + n;
                }
            }
        }

        return result;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
