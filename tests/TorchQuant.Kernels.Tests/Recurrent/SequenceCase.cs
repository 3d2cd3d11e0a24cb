namespace TorchQuant.Kernels.Tests;

/// <summary>A sequence for a recurrent layer in one direction: x [rows, I], the batch of every step, initial states [B, H].</summary>
internal sealed record SequenceCase(int Input, int Hidden, int[] BatchSizes, bool Reverse, float[] X, float[] H0, float[] C0)
{
    public int Rows => BatchSizes.Sum();

    public int Batch => BatchSizes[0];

    /// <summary>A random case; sizes up to two vectors of 16 and one more, batches up to 5, up to 7 steps, of the same length in half of the cases.</summary>
    public static SequenceCase Create(int seed)
    {
        var random = new Random(seed);
        int batch = 1 + random.Next(5), steps = 1 + random.Next(7);
        int[] lengths = [.. Enumerable.Range(0, batch).Select(_ => random.Next(2) == 0 ? steps : 1 + random.Next(steps))];
        if (random.Next(2) == 0)
            Array.Fill(lengths, steps);
        return Create(1 + random.Next(33), 1 + random.Next(33), lengths, random.Next(2) == 0, seed);
    }

    public static SequenceCase Create(int input, int hidden, int[] lengths, bool reverse, int seed)
    {
        int[] batchSizes = [.. Enumerable.Range(0, lengths.Max()).Select(step => lengths.Count(length => length > step))];
        return new SequenceCase(input, hidden, batchSizes, reverse, Generators.Floats(batchSizes.Sum() * input, seed, magnitude: 2),
            Generators.Floats(lengths.Length * hidden, seed + 1, magnitude: 1), Generators.Floats(lengths.Length * hidden, seed + 2, magnitude: 1));
    }

    /// <summary>The steps in the order in which they are run, and the first row of each.</summary>
    public IEnumerable<(int Step, int FirstRow)> Steps()
    {
        IEnumerable<(int, int)> steps = Enumerable.Range(0, BatchSizes.Length).Select(step => (step, BatchSizes[..step].Sum()));
        return Reverse ? steps.Reverse() : steps;
    }

    /// <summary>The hidden states that enter a step, [batch of the step, H], given those of all rows.</summary>
    public float[] StatesBefore(int step, float[] y)
    {
        int before = Reverse ? step + 1 : step - 1;
        var states = new List<float>();
        for (int b = 0; b < BatchSizes[step]; b++)
        {
            // In reverse, a sequence that ends at this step has no step before it: its initial state enters.
            bool starts = before < 0 || before >= BatchSizes.Length || b >= BatchSizes[before];
            float[] source = starts ? H0 : y;
            int row = starts ? b : BatchSizes[..before].Sum() + b;
            states.AddRange(source[(row * Hidden)..((row + 1) * Hidden)]);
        }

        return [.. states];
    }

    /// <summary>The row of the last step that is run of each sequence.</summary>
    public int LastRow(int b)
    {
        int step = Reverse ? 0 : BatchSizes.Count(size => size > b) - 1;
        return BatchSizes[..step].Sum() + b;
    }
}
