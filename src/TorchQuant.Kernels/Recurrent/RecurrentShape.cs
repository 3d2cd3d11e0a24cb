namespace TorchQuant.Kernels;

/// <summary>
/// The sizes of one recurrent layer in one direction, checked. The rows of a sequence are the batches of its steps one after the other; a packed sequence of different
/// lengths has batches that shrink, the longest sequence first.
/// </summary>
internal readonly struct RecurrentShape
{
    private RecurrentShape(int hidden, int rows)
    {
        Hidden = hidden;
        Rows = rows;
    }

    /// <summary>H: the number of hidden units.</summary>
    public int Hidden { get; }

    /// <summary>The rows of all steps together.</summary>
    public int Rows { get; }

    /// <summary>Checks the weights: input I -> gates * H, hidden H -> gates * H. Gives H.</summary>
    public static int CheckWeights(PackedLinear inputWeights, PackedLinear hiddenWeights, int gates)
    {
        ArgumentNullException.ThrowIfNull(inputWeights);
        ArgumentNullException.ThrowIfNull(hiddenWeights);
        int hidden = hiddenWeights.InFeatures;
        if (hiddenWeights.OutFeatures != gates * hidden)
            throw new ArgumentException($"hiddenWeights has {hiddenWeights.OutFeatures} outputs; expected {gates} x {hidden} ({gates} gates of as many units as it has inputs).", nameof(hiddenWeights));
        if (inputWeights.OutFeatures != gates * hidden)
            throw new ArgumentException($"inputWeights has {inputWeights.OutFeatures} outputs; expected {gates} x {hidden}, as many as hiddenWeights.", nameof(inputWeights));
        return hidden;
    }

    /// <summary>Checks a layer's arguments and adds up its rows.</summary>
    public static RecurrentShape Check(int xLength, ReadOnlySpan<int> batchSizes, PackedLinear inputWeights, PackedLinear hiddenWeights, int gates, int hLength, int yLength, int yStride, int threads)
    {
        int hidden = CheckWeights(inputWeights, hiddenWeights, gates);
        Argument.IsAtLeast(threads, 1, nameof(threads));
        int batch = batchSizes.IsEmpty ? 0 : batchSizes[0];
        int rows = 0;
        for (int step = 0; step < batchSizes.Length; step++)
        {
            int largest = step == 0 ? int.MaxValue : batchSizes[step - 1];
            if (batchSizes[step] < 0 || batchSizes[step] > largest)
                throw new ArgumentException($"batchSizes[{step}] is {batchSizes[step]}; expected 0 to {largest} (batches must not grow: sort sequences by length, the longest first).", nameof(batchSizes));
            rows = checked(rows + batchSizes[step]);
        }

        Argument.HasLength(xLength, (long)rows * inputWeights.InFeatures, "x", "the sum of batchSizes x the inputs");
        Argument.HasLength(hLength, (long)batch * hidden, "h", "the first batch size x the hidden units");
        Argument.IsAtLeast(yStride, hidden, nameof(yStride));
        if (rows > 0)
            Argument.IsAtLeast(yLength, (rows - 1L) * yStride + hidden, "y.Length");
        return new RecurrentShape(hidden, rows);
    }
}
