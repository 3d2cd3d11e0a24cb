using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// The input product of a sequence, a few steps at a time: what it gives is then still in the cache when the steps come to it. The activations have the range of the whole sequence, so it
/// gives the bits of one product.
/// </summary>
internal unsafe ref struct InputProduct
{
    /// <summary>Results at a time, if one step has no more: 256 KB, which with the recurrent weights of middle-sized layers is what the second level of the cache holds.</summary>
    private const int MostResults = 64 * 1024;

    /// <summary>Results begin where a line of the cache does: threads that write neighbouring columns share no line.</summary>
    private const int FloatsInLine = CacheLine.Bytes / sizeof(float);

    /// <summary>Features from which a row of the product is more work than fetching its results from another core.</summary>
    private const int FeaturesWorthFetching = 1024;

    private readonly PackedLinear _weights;
    private readonly ReadOnlySpan<float> _x;
    private readonly ReadOnlySpan<int> _batchSizes;
    private readonly bool _reverse;
    private readonly int _threads;
    private readonly int _gates;
    private readonly Int8Linear? _byUnits;
    private readonly int _inputRows;
    private readonly int _mostRows;
    private readonly LinearInput _input;
    private readonly float[] _results;
    private readonly int _offset;
    private int _start;
    private int _end;

    /// <summary>Prepares the activations.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="hiddenWeights">The weights of the steps, which read the results.</param>
    /// <param name="x">[rows, I].</param>
    /// <param name="batchSizes">The rows of each step.</param>
    /// <param name="rows">All rows.</param>
    /// <param name="reverse">Whether steps are asked for from the last to the first.</param>
    /// <param name="threads">How many threads may be used.</param>
    /// <param name="gates">The number of gates.</param>
    public InputProduct(PackedLinear weights, PackedLinear hiddenWeights, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, int rows, bool reverse, int threads, int gates)
    {
        int batch = batchSizes.IsEmpty ? 0 : batchSizes[0];
        threads = Threads(weights.InFeatures, hiddenWeights, batch, threads);
        _gates = gates;
        _byUnits = Int8Linear.WithDividedGates(weights, gates, threads);
        (_weights, _reverse, _threads, _inputRows) = (weights, reverse, threads, rows);
        _x = x;
        _batchSizes = batchSizes;
        _mostRows = Math.Min(rows, Math.Max(batch, MostResults / weights.OutFeatures));
        _results = ArrayPool<float>.Shared.Rent(checked(_mostRows * weights.OutFeatures + FloatsInLine));
        fixed (float* results = _results)
            _offset = (int)(-((nint)results / sizeof(float)) & (FloatsInLine - 1));
        _input = weights.Prepare(x, rows, threads);
    }

    /// <summary>The results of the rows of a step, [batch, outputs]; steps are asked for in their order. They may be changed.</summary>
    /// <param name="step">The step.</param>
    /// <param name="first">Its first row.</param>
    public Span<float> Of(int step, int first)
    {
        int batch = _batchSizes[step], columns = _weights.OutFeatures;
        if (first < _start || first + batch > _end)
            Multiply(step, first, batch);
        return _results.AsSpan(_offset + (first - _start) * columns, batch * columns);
    }

    /// <summary>Gives the memory back.</summary>
    public readonly void Return()
    {
        _input.Return();
        ArrayPool<float>.Shared.Return(_results);
    }

    /// <summary>How many threads the product is worth: one where the steps, which read its results, are done by one.</summary>
    private static int Threads(int features, PackedLinear hiddenWeights, int batch, int threads) => features >= FeaturesWorthFetching
        ? threads
        : WorkerPool.Worth(threads, hiddenWeights.EstimateNanoseconds(batch) + (long)batch * hiddenWeights.InFeatures * GateJob.NanosecondsPerUnit);

    /// <summary>The product of a step, and of as many that follow it as there is room for.</summary>
    private void Multiply(int step, int first, int batch)
    {
        int rows = batch, direction = _reverse ? -1 : 1;
        for (int next = step + direction; next >= 0 && next < _batchSizes.Length && rows + _batchSizes[next] <= _mostRows; next += direction)
            rows += _batchSizes[next];
        _start = _reverse ? first + batch - rows : first;
        _end = _start + rows;
        Span<float> results = _results.AsSpan(_offset, rows * _weights.OutFeatures);
        if (_byUnits is not null)
            _byUnits.MultiplyGates(Isa.Current, _input, _inputRows, _start, rows, results, accumulate: false, new GateJob(_gates), _threads);
        else
            _weights.Multiply(_x, _input, _start, rows, results, _threads);
    }
}
