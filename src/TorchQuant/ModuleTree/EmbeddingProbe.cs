using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Finds the options of Embedding and EmbeddingBag, which TorchSharp keeps in native code alone, by running the module on a small probe: a few rows of the weight
/// are overwritten for the moment and put back. Not to run while another thread uses the module.
/// </summary>
internal sealed class EmbeddingProbe
{
    private const float Tiny = 1e-6f; // rows that no sane max_norm shortens
    private const float Huge = 1e6f; // rows that every sane max_norm shortens; its sixth power is still finite

    private readonly Parameter _weight;
    private readonly Func<Tensor, Tensor> _lookup; // one row of output for each index, alone in its bag
    private readonly EmbeddingBag? _bag;
    private bool _includeLastOffset;

    private EmbeddingProbe(nn.Module module)
    {
        _weight = module.get_parameter("weight")!;
        if (_weight.device_type != DeviceType.CPU || _weight.dtype is not (ScalarType.Float32 or ScalarType.Float64) || !_weight.is_contiguous())
            throw new NotSupportedException($"the options of an {module.GetType().Name} can be found only on the CPU in float32 or float64");
        if (module is Embedding embedding)
        {
            _lookup = embedding.forward;
            return;
        }

        _bag = (EmbeddingBag)module;
        _lookup = indices => BagsOf(indices, [.. Enumerable.Range(0, (int)indices.shape[0] + (_includeLastOffset ? 1 : 0)).Select(i => (long)i)]);
    }

    private long Rows => _weight.shape[0];

    private long Columns => _weight.shape[1];

    /// <summary>The options of an Embedding or EmbeddingBag.</summary>
    /// <exception cref="NotSupportedException">They cannot be found: another device or type than float on the CPU.</exception>
    public static EmbeddingFactoryOptions Of(nn.Module module)
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            var probe = new EmbeddingProbe(module);
            var mode = probe.Bags();
            var (maxNorm, normType) = probe.Norm();
            var (padding, byFrequency, sparse) = probe.Gradients(maxNorm is not null);
            return new EmbeddingFactoryOptions(probe.Rows, probe.Columns, padding, maxNorm, normType, byFrequency, sparse, mode, probe._includeLastOffset, probe._weight.device, probe._weight.dtype);
        }
    }

    private Tensor BagsOf(Tensor indices, long[] offsets) => _bag!.forward(indices, tensor(offsets), null);

    /// <summary>include_last_offset: whether two offsets make one bag or two. The mode: a bag of rows 1, 5 and 17, each twice, has the sum 46, mean 7.67, maximum 17; with one of them left out as padding still no two agree.</summary>
    private EmbeddingBagMode Bags()
    {
        if (_bag is null) return EmbeddingBagMode.Mean;
        using var scope = NewDisposeScope();
        float[] values = [1, 5, 17];
        var rows = (int)Math.Min(3, Rows);
        var kept = Save(rows);
        try
        {
            _includeLastOffset = BagsOf(tensor(new long[] { 0 }), [0, 1]).shape[0] == 1;
            for (var i = 0; i < rows; i++) Write(i, full(Columns, values[i] * Tiny));
            // Every row twice: a table of one row tells the sum from the rest too.
            long[] indices = [.. Enumerable.Range(0, rows).SelectMany(i => new long[] { i, i })];
            var seen = BagsOf(tensor(indices), _includeLastOffset ? [0, indices.Length] : [0])[0, 0].to(ScalarType.Float32).item<float>() / Tiny;
            // Which rows count is not known yet: one may be padding, and is left out.
            foreach (var left in Enumerable.Range(-1, rows + 1))
            {
                var counted = values.Take(rows).Where((_, i) => i != left).ToArray();
                if (counted.Length == 0) continue;
                if (Near(seen, 2 * counted.Sum())) return EmbeddingBagMode.Sum;
                if (Near(seen, counted.Average())) return EmbeddingBagMode.Mean; // a single row: mean and maximum are the same function
                if (Near(seen, counted.Max())) return EmbeddingBagMode.Max;
            }
        }
        finally
        {
            Restore(kept);
        }

        throw new NotSupportedException("the mode of this EmbeddingBag is kept in native code and cannot be found");
    }

    /// <summary>A unit row times a huge number comes back with length max_norm; a row of equal numbers then tells the norm, max_norm / columns^(1/p) each.</summary>
    private (double? MaxNorm, double NormType) Norm()
    {
        using var scope = NewDisposeScope();
        var kept = Save((int)Math.Min(2, Rows));
        try
        {
            for (var row = 0; row < kept.shape[0]; row++) // the first may be padding: a bag leaves it out
            {
                Write(row, cat([full(1, Huge), zeros(Columns - 1)]));
                var first = Value(row);
                if (first == 0) continue;
                if (Near(first, Huge)) return (null, 2);
                Write(row, full(Columns, Huge));
                var each = Value(row);
                return (Round(first), Columns == 1 || Near(first, each) ? Columns == 1 ? 2 : double.PositiveInfinity : Round(Math.Log(Columns) / Math.Log(first / each)));
            }

            return (null, 2);
        }
        finally
        {
            Restore(kept);
        }

        double Value(long row) => _lookup(tensor(new[] { row }))[0, 0].to(ScalarType.Float64).item<double>();
    }

    /// <summary>Every index once, the first two three times: padding has no gradient, scale_grad_by_freq divides by the count, sparse shows in the layout.</summary>
    private (long? Padding, bool ByFrequency, bool Sparse) Gradients(bool shortens)
    {
        using var scope = NewDisposeScope();
        var kept = shortens ? Save((int)Rows) : null; // a lookup shortens the rows for good
        var wanted = _weight.requires_grad;
        try
        {
            _weight.requires_grad = true;
            using var graph = enable_grad();
            var twice = tensor(Rows > 1 ? new long[] { 0, 1, 0, 1 } : [0, 0]);
            var output = _lookup(cat([arange(Rows, dtype: ScalarType.Int64), twice]));
            var gradient = autograd.grad([output.sum()], [_weight])[0];
            var sparse = gradient.is_sparse;
            var column = (sparse ? gradient.to_dense() : gradient).select(1, 0).to(ScalarType.Float32).data<float>().ToArray();
            var padding = Array.IndexOf(column, 0f);
            var doubled = column.Take(2).Max();
            return (padding < 0 ? null : padding, Near(doubled, 1), sparse);
        }
        finally
        {
            _weight.requires_grad = wanted;
            if (kept is not null) Restore(kept);
        }
    }

    /// <summary>Overwrites a row as plain memory: no graph that waits for its backward pass notices.</summary>
    private void Write(long row, Tensor values)
    {
        using var plain = _weight.detach();
        using var target = plain.select(0, row);
        using var source = values.to(_weight.dtype);
        source.bytes.CopyTo(target.bytes);
    }

    private Tensor Save(int rows)
    {
        using var plain = _weight.detach();
        return plain.narrow(0, 0, rows).clone();
    }

    private void Restore(Tensor rows)
    {
        for (var row = 0; row < rows.shape[0]; row++) Write(row, rows[row]);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-4 * Math.Abs(b);

    /// <summary>To six digits: what was written in the source, before float32 touched it.</summary>
    private static double Round(double value)
    {
        var scale = Math.Pow(10, 5 - Math.Floor(Math.Log10(Math.Abs(value))));
        return Math.Round(value * scale) / scale;
    }
}
