using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// The input product of a sequence, a few steps at a time: what it gives is then still in the cache when the steps come to it. The activations have the range of the whole sequence, so it
/// gives the bits of one product.
/// </summary>
internal ref struct InputProduct
{
    /// <summary>Results at a time, if one step has no more: 256 KB, which with the recurrent weights of middle-sized layers is what the second level of the cache holds.</summary>
    private const int MostResults = 64 * 1024;

    private readonly PackedLinear _weights;
    private readonly ReadOnlySpan<float> _x;
    private readonly ReadOnlySpan<int> _batchSizes;
    private readonly bool _reverse;
    private readonly int _threads;
    private readonly int _mostRows;
    private readonly LinearInput _input;
    private readonly float[] _results;
    private int _start;
    private int _end;

    public InputProduct(PackedLinear weights, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, int rows, bool reverse, int threads)
    {
        (_weights, _reverse, _threads) = (weights, reverse, threads);
        _x = x;
        _batchSizes = batchSizes;
        _mostRows = Math.Min(rows, Math.Max(batchSizes.IsEmpty ? 0 : batchSizes[0], MostResults / weights.OutFeatures));
        _results = ArrayPool<float>.Shared.Rent(checked(_mostRows * weights.OutFeatures));
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
        return _results.AsSpan((first - _start) * columns, batch * columns);
    }

    /// <summary>Gives the memory back.</summary>
    public readonly void Return()
    {
        _input.Return();
        ArrayPool<float>.Shared.Return(_results);
    }

    /// <summary>The product of a step, and of as many that follow it as there is room for.</summary>
    private void Multiply(int step, int first, int batch)
    {
        int rows = batch, direction = _reverse ? -1 : 1;
        for (int next = step + direction; next >= 0 && next < _batchSizes.Length && rows + _batchSizes[next] <= _mostRows; next += direction)
            rows += _batchSizes[next];
        _start = _reverse ? first + batch - rows : first;
        _end = _start + rows;
        _weights.Multiply(_x, _input, _start, rows, _results.AsSpan(0, rows * _weights.OutFeatures), _threads);
    }
}
