using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// An LSTM layer whose sequences are divided among threads: each has the same sequences in every step, with their states, gates and codes, and reads all weights. What goes from core to core in a step is the
/// range of the hidden states, so it does not matter how far apart cores are. For sequences of one length, more than a few, and weights that a core's own cache holds.
/// </summary>
internal unsafe struct LstmRows
{
    /// <summary>Sequences for each thread at least: fewer rows take nearly as long.</summary>
    private const int LeastRows = 4;

    /// <summary>Weights at most, of the input and of the hidden product: about what the second level of the cache holds.</summary>
    private const int MostWeightBytes = 1024 * 1024;

    /// <summary>Gates at a time, if one step has no more: 256 KB for each thread.</summary>
    private const int MostGates = 64 * 1024;

    /// <summary>Where the range of each part's hidden states is: numbers from one to the next, a line of the cache and its neighbour.</summary>
    public const int RangeStride = 32;

    /// <summary>The products, but for what a part sets: codes of activations from <see cref="GemmJob.A"/>, results, rows.</summary>
    public GemmJob Input, Hidden;

    /// <summary>[T, B, I], [B, H], [B, H], and [T, B, H] with its stride.</summary>
    public float* X, H, C, Y;
    public nint YStride;
    public int Steps, Batch;
    public bool Reverse;

    /// <summary>Into how many parts the batch is divided, and how many steps the input product is made for at once.</summary>
    public int Parts, ChunkSteps;

    /// <summary>The gates of a chunk: part by part, its steps in their order, its rows.</summary>
    public float* Gates;

    /// <summary>The smallest and the largest hidden state of each part.</summary>
    public float* Ranges;

    /// <summary>How many steps came before.</summary>
    public int Done;

    /// <summary>The step that comes next.</summary>
    public readonly int Step => Reverse ? Steps - 1 - Done : Done;

    /// <summary>Whether a layer can be divided so.</summary>
    public static bool Fits(ReadOnlySpan<int> batchSizes, PackedLinear input, PackedLinear hidden, int threads) =>
        threads > 1 && !batchSizes.IsEmpty && batchSizes[0] >= threads * LeastRows && batchSizes[^1] == batchSizes[0] && IsSmall(input) && IsSmall(hidden);

    /// <summary>Runs the layer. The arguments are those of <see cref="LstmLayer"/>, checked.</summary>
    public static void Run(Isa isa, ReadOnlySpan<float> x, int steps, int batch, Int8Linear input, Int8Linear hidden, float* h, float* c, float* y, int yStride, bool reverse, int threads)
    {
        int columns = hidden.OutFeatures, inputStride = Int8Gemm.RowStride(steps * batch, input.InFeatures), hiddenStride = Int8Gemm.RowStride(batch, hidden.InFeatures);
        int parts = threads, chunkSteps = Math.Clamp(threads * MostGates / columns / batch, 1, steps);
        long inputBytes = CacheLine.RoundUp((long)steps * batch * inputStride), hiddenBytes = CacheLine.RoundUp((long)batch * hiddenStride), rangeBytes = (long)parts * RangeStride * sizeof(float);
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked((int)(inputBytes + hiddenBytes + rangeBytes + (long)chunkSteps * batch * columns * sizeof(float) + CacheLine.Bytes)));
        fixed (float* xPointer = x, inputBias = input.Bias, hiddenBias = hidden.Bias)
        fixed (byte* memory = rented)
        {
            var codes = CacheLine.Align(memory);
            var job = new LstmRows
            {
                Input = new GemmJob(input.Weights, codes, inputStride, 0, default) { Kind = GemmOutput.Float, Bias = inputBias },
                Hidden = new GemmJob(hidden.Weights, codes + inputBytes, hiddenStride, 0, default) { Kind = GemmOutput.Float, Bias = hiddenBias, Accumulate = true },
                X = xPointer,
                H = h,
                C = c,
                Y = y,
                YStride = yStride,
                Steps = steps,
                Batch = batch,
                Reverse = reverse,
                Parts = parts,
                ChunkSteps = chunkSteps,
                Ranges = (float*)(codes + inputBytes + hiddenBytes),
                Gates = (float*)(codes + inputBytes + hiddenBytes + rangeBytes),
            };
            job.Input.Activation = DynamicActivations.Choose(MinMax.Of(isa, xPointer, x.Length, threads), input.ReduceRange, nameof(x));
            isa.QuantizeLstmRows(&job, threads);
            (float Min, float Max) range = MinMax.Of(isa, h, batch * hidden.InFeatures, threads);
            for (; job.Done < steps; job.Done++)
            {
                job.Hidden.Activation = HiddenProduct.Choose(range, hidden.ReduceRange, job.Step);
                isa.StepLstmRows(&job, threads);
                range = job.Range();
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
        GC.KeepAlive(input);
        GC.KeepAlive(hidden);
    }

    /// <summary>The first row of a part; part number <see cref="Parts"/> is the end.</summary>
    public readonly int FirstRow(int part) => EvenSplit.Part(Batch, part, Parts);

    /// <summary>The range of the hidden states of all parts; NaN if one of them is.</summary>
    private readonly (float Min, float Max) Range()
    {
        (float min, float max) = (Ranges[0], Ranges[1]);
        for (int part = 1; part < Parts; part++)
            (min, max) = (Math.Min(min, Ranges[part * RangeStride]), Math.Max(max, Ranges[part * RangeStride + 1]));
        return (min, max);
    }

    private static bool IsSmall(PackedLinear linear) =>
        linear is Int8Linear { Weights.IsSymmetric: true } && (long)linear.InFeatures * linear.OutFeatures <= MostWeightBytes;
}
