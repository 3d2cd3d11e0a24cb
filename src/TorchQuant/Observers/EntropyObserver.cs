namespace TorchQuant;

/// <summary>Keeps a histogram and clips the range to where the distribution of the values changes least by quantizing, measured by the Kullback-Leibler divergence.
/// PyTorch has no such observer.</summary>
/// <remarks>
/// For a range of bins: P are the masses of its bins, the first and the last with the mass outside added; Q are the masses without that, gathered into
/// quant_max - quant_min + 1 groups of neighbours (or 256, if that is less) and spread evenly over those bins of a group that P fills. Both are scaled to sum 1; the divergence is the sum of P log(P / Q), infinite where P has
/// mass and Q none. The range with the least is taken, over thresholds |x| &lt;= t and then at each end alone; ranges have at least 4 bins for each group, fewer would lose nothing by
/// grouping and be taken for that. What is exactly zero keeps its value, since zero has a code, so the bin of zero counts no more than its neighbours do: after a ReLU it would else hold most of the
/// mass, and the range that resolves the bins round zero best, a narrow one, would be taken.
/// After Migacz, "8-bit Inference with TensorRT" (GTC 2017), who takes histograms of |x| with 2048 bins and 128 groups; here values are signed and the ranges may be one-sided.
/// </remarks>
public sealed class EntropyObserver : HistogramObserverBase
{
    private const int MostGroups = 256, BinsPerGroup = 4;

    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="bins">The number of bins, which resolve the range. More than PyTorch's 2048, so that a range from which an outlier is clipped still has several bins for each code.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme"><see cref="qscheme.per_tensor_affine"/> or <see cref="qscheme.per_tensor_symmetric"/>.</param>
    /// <param name="reduce_range">Whether the range of codes is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public EntropyObserver(
        int bins = 8192, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null)
        : base(nameof(EntropyObserver), bins, dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps)
    {
    }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="EntropyObserver(int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        int bins = 8192, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null) =>
        new(() => new EntropyObserver(bins, dtype, qscheme, reduce_range, quant_min, quant_max, eps));

    /// <summary>The Kullback-Leibler divergence that the class describes, for the bins from one to another, both included.</summary>
    /// <param name="mass">The masses of all bins.</param>
    /// <param name="start">The first bin of the range.</param>
    /// <param name="end">The last bin of the range.</param>
    /// <param name="groups">How many groups the range is quantized to.</param>
    internal static double Divergence(ReadOnlySpan<float> mass, int start, int end, int groups)
    {
        var (below, inside, above) = (Sum(mass[..start]), Sum(mass[start..(end + 1)]), Sum(mass[(end + 1)..]));
        var (total, length) = (below + inside + above, end - start + 1);
        double divergence = 0;
        for (var group = 0; group < groups; group++)
        {
            var (from, to) = (start + (int)((long)group * length / groups), start + (int)((long)(group + 1) * length / groups));
            double gathered = 0;
            var filled = 0;
            for (var i = from; i < to; i++)
            {
                gathered += mass[i];
                filled += P(mass, i) > 0 ? 1 : 0;
            }
            for (var i = from; i < to; i++)
                if (P(mass, i) is > 0 and var p)
                    divergence += gathered == 0 ? double.PositiveInfinity : p / total * Math.Log(p / total / (gathered / filled / inside));
        }
        return divergence;

        double P(ReadOnlySpan<float> bins, int i) => bins[i] + (i == start ? below : 0) + (i == end ? above : 0);
    }

    /// <inheritdoc/>
    private protected override (float Min, float Max) Clip(HistogramStatistics statistics)
    {
        var groups = (int)Math.Min((double)quant_max - quant_min + 1, MostGroups);
        var mass = WithoutZeros(statistics);
        return RangeSearch.Least(statistics, groups * BinsPerGroup, (start, end) => Divergence(mass, start, end, groups));
    }

    /// <summary>The masses, with that of the bin of zero no greater than the mean of its neighbours, if they have any.</summary>
    private static float[] WithoutZeros(HistogramStatistics statistics)
    {
        var (mass, last) = (statistics.Mass, statistics.Mass.Length - 1);
        if (statistics.Min > 0 || statistics.Max < 0)
            return mass;
        var zero = Math.Min((int)(-statistics.Min / statistics.BinWidth), last);
        var neighbours = zero == 0 ? mass[1] : zero == last ? mass[last - 1] : (mass[zero - 1] + mass[zero + 1]) / 2;
        if (neighbours <= 0 || mass[zero] <= neighbours)
            return mass;
        var without = mass.ToArray();
        without[zero] = neighbours;
        return without;
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (var value in values)
            sum += value;
        return sum;
    }
}
