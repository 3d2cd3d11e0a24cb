namespace TorchQuant;

/// <summary>Keeps a histogram and clips its range where that lowers the squared error of quantizing. PyTorch's default for activations.</summary>
/// <remarks>
/// The histogram: <see cref="HistogramObserverBase"/>. The search is PyTorch's (from Caffe2's norm minimization): from both ends, in steps of 1e-5 of the mass, it drops
/// the bins of the end where more of them go, as long as the squared error (for a density even within each bin) does not rise. It stops at the first rise: a single outlier is
/// not clipped, for which see <see cref="PercentileObserver"/> and <see cref="EntropyObserver"/>.
/// </remarks>
public sealed class HistogramObserver : HistogramObserverBase
{
    private const double MassStep = 1e-5;

    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="bins">The number of bins.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme"><see cref="qscheme.per_tensor_affine"/> or <see cref="qscheme.per_tensor_symmetric"/>.</param>
    /// <param name="reduce_range">Whether the range of codes is halved: qint8 -64..63, quint8 0..127. The search counts the type's whole range, as PyTorch's does.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public HistogramObserver(
        int bins = 2048, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null)
        : base(nameof(HistogramObserver), bins, dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps)
    {
    }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="HistogramObserver(int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        int bins = 2048, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null) =>
        new(() => new HistogramObserver(bins, dtype, qscheme, reduce_range, quant_min, quant_max, eps));

    /// <inheritdoc/>
    private protected override (float Min, float Max) Clip(HistogramStatistics statistics)
    {
        var cumulative = new float[statistics.Mass.Length];
        double sum = 0;
        for (var i = 0; i < cumulative.Length; i++)
            cumulative[i] = (float)(sum += statistics.Mass[i]);
        var total = sum;
        var (lowest, highest) = dtype.Range;
        var levels = (double)highest - lowest + 1;
        var (alpha, beta, start, end, best) = (0.0, 1.0, 0, cumulative.Length - 1, double.PositiveInfinity);
        while (alpha < beta)
        {
            var (nextAlpha, nextBeta) = (alpha + MassStep, beta - MassStep);
            var (left, right) = (start, end);
            while (left < end && cumulative[left] < (float)(nextAlpha * total))
                left++;
            while (right > start && cumulative[right] > (float)(nextBeta * total))
                right--;
            var (nextStart, nextEnd) = (start, end);
            if (left - start > end - right)
                (nextStart, alpha) = (left, nextAlpha);
            else
                (nextEnd, beta) = (right, nextBeta);
            if (nextStart == start && nextEnd == end)
                continue;
            var error = statistics.SquaredError(nextStart, nextEnd, levels);
            if (error > best)
                break;
            (best, start, end) = (error, nextStart, nextEnd);
        }
        return statistics.Range(start, end);
    }
}
