using System.Globalization;

namespace TorchQuant;

/// <summary>Keeps a histogram and clips the range to percentiles: at each end at most (100 - percentile) percent of the values are clipped. PyTorch has no such observer.</summary>
/// <remarks>
/// From each end whole bins are dropped as long as the mass dropped there stays within (100 - percentile) / 100 of all, so the range is the finest that the bins resolve.
/// After Wu, Judd, Zhang, Isaev and Micikevicius, "Integer Quantization for Deep Learning Inference: Principles and Empirical Evaluation" (2020, arXiv 2004.09602), who clip |x| at
/// 99.9 to 99.9999; here the ends are clipped apart, so that one-sided activations keep theirs.
/// </remarks>
public sealed class PercentileObserver : HistogramObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="percentile">How many percent of the values no end may clip more than the rest of, more than 50 and at most 100; 100 clips nothing.</param>
    /// <param name="bins">The number of bins, which resolve the range.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme"><see cref="qscheme.per_tensor_affine"/> or <see cref="qscheme.per_tensor_symmetric"/>.</param>
    /// <param name="reduce_range">Whether the range of codes is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public PercentileObserver(
        double percentile = 99.99, int bins = 2048, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null,
        int? quant_max = null, float? eps = null)
        : base(nameof(PercentileObserver), bins, dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps)
    {
        if (percentile is not (> 50 and <= 100))
            throw new ArgumentException($"percentile is more than 50 and at most 100; found {percentile}.", nameof(percentile));
        Percentile = percentile;
    }

    /// <summary>The percentile.</summary>
    public double Percentile { get; }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="PercentileObserver(double, int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        double percentile = 99.99, int bins = 2048, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null,
        int? quant_max = null, float? eps = null) =>
        new(() => new PercentileObserver(percentile, bins, dtype, qscheme, reduce_range, quant_min, quant_max, eps));

    /// <inheritdoc/>
    private protected override (float Min, float Max) Clip(HistogramStatistics statistics)
    {
        var mass = statistics.Mass;
        // 1 of 10 000 is to count as 0.01 percent, whatever rounding says of 100 - 99.99.
        var allowed = mass.Sum(m => (double)m) * (100 - Percentile) / 100 * (1 + 1e-6);
        var (start, end) = (0, mass.Length - 1);
        for (double dropped = mass[start]; dropped <= allowed && start < end; dropped += mass[start])
            start++;
        for (double dropped = mass[end]; dropped <= allowed && end > start; dropped += mass[end])
            end--;
        return statistics.Range(start, end);
    }

    /// <inheritdoc/>
    private protected override string OwnSettings => base.OwnSettings + string.Create(CultureInfo.InvariantCulture, $", percentile={Percentile}");
}
