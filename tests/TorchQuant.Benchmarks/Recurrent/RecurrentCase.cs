namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>LSTM or GRU layers on a sequence.</summary>
/// <param name="Gates">4 for an LSTM, 3 for a GRU.</param>
/// <param name="Inputs">The size of the first layer's inputs.</param>
/// <param name="Hidden">The size of the states.</param>
/// <param name="Layers">The number of layers.</param>
/// <param name="Batch">The number of sequences.</param>
/// <param name="Steps">Their length.</param>
internal sealed record RecurrentCase(int Gates, int Inputs, int Hidden, int Layers, int Batch, int Steps)
{
    public const int Lstm = 4, Gru = 3;

    private static readonly int[] s_hidden = [128, 256, 512, 1024], s_batches = [1, 8, 20, 64], s_steps = [1, 35];

    public double WeightBytes => Enumerable.Range(0, Layers).Sum(layer => (double)Gates * Hidden * (InputsOf(layer) + Hidden + 8));

    public double MultiplyAdds => (double)Steps * Batch * Gates * Hidden * Enumerable.Range(0, Layers).Sum(layer => InputsOf(layer) + Hidden);

    /// <summary>The recurrent weights are needed in each step, the input weights once.</summary>
    public double Bytes => Layers * (double)Gates * Hidden * Hidden * (Steps - 1) + WeightBytes + 4.0 * Steps * Batch * (Inputs + (2 * Layers - 1) * Hidden);

    public int InputsOf(int layer) => layer == 0 ? Inputs : Hidden;

    /// <summary>One layer in several sizes, and the five layers of PyTorch's tutorial on dynamic quantization.</summary>
    public static IEnumerable<RecurrentCase> All(int gates, bool quick)
    {
        if (quick)
            return [new(gates, 64, 128, 2, 3, 5)];
        IEnumerable<RecurrentCase> single = from hidden in s_hidden from batch in s_batches from steps in s_steps select new RecurrentCase(gates, hidden, hidden, 1, batch, steps);
        return single.Concat(s_batches.Select(batch => new RecurrentCase(gates, 512, 256, 5, batch, 35)));
    }

    public override string ToString() => $"{Inputs}->{Hidden}{(Layers > 1 ? $" x{Layers}" : "")} B{Batch} T{Steps}";
}
