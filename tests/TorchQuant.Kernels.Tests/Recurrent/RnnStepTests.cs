using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class RnnStepTests
{
    [Property(MaxTest = 150)]
    public void Equals_the_reference_in_double_with_tanh_and_with_relu(int seed)
    {
        var random = new Random(seed);
        int batch = 1 + random.Next(5), inputs = 1 + random.Next(33), hidden = 1 + random.Next(33);
        WeightKind kind = (WeightKind)random.Next(3);
        LinearCase inputCase = LinearCase.Create(kind, hidden, inputs, seed), hiddenCase = LinearCase.Create(kind, hidden, hidden, seed + 5);
        float[] x = Generators.Floats(batch * inputs, seed, magnitude: 2), h = Generators.Floats(batch * hidden, seed + 1, magnitude: 1);
        double[,] u = hiddenCase.Multiply(h, batch), v = inputCase.Multiply(x, batch);
        foreach (bool relu in (bool[])[false, true])
        {
            foreach (Isa isa in Isa.Available)
            {
                float[] found = [.. h];
                RnnStep.Run(isa, x, batch, inputCase.Packed, hiddenCase.Packed, found, relu, threads: 1 + random.Next(2));
                for (int i = 0; i < found.Length; i++)
                {
                    double sum = u[i / hidden, i % hidden] + v[i / hidden, i % hidden];
                    Assert.Equal(relu ? Math.Max(sum, 0) : Math.Tanh(sum), found[i], 5e-6);
                }
            }
        }
    }

    [Fact]
    public void Allocates_nothing_in_the_steady_state()
    {
        PackedLinear input = LinearCase.Create(WeightKind.Int8PerTensor, 20, 30, 1).Packed, hidden = LinearCase.Create(WeightKind.Int8PerTensor, 20, 20, 2).Packed;
        float[] x = Generators.Floats(60, 1), h = new float[40];
        Assert.Equal(0, Allocations.Least(() => RnnStep.Run(x, 2, input, hidden, h, relu: false)));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        PackedLinear input = LinearCase.Create(WeightKind.Int8PerTensor, 5, 3, 1).Packed, hidden = LinearCase.Create(WeightKind.Int8PerTensor, 5, 5, 2).Packed;
        Assert.Contains("h has 4 elements; expected 5", Assert.Throws<ArgumentException>(() => RnnStep.Run(new float[3], 1, input, hidden, new float[4], false)).Message, StringComparison.Ordinal);
        Assert.Contains("x has 4 elements; expected 3", Assert.Throws<ArgumentException>(() => RnnStep.Run(new float[4], 1, input, hidden, new float[5], false)).Message, StringComparison.Ordinal);
        Assert.Contains("hiddenWeights has 5 outputs; expected 1 x 3", Assert.Throws<ArgumentException>(() => RnnStep.Run(new float[3], 1, input, input, new float[5], false)).Message, StringComparison.Ordinal);
    }
}
