namespace TorchQuant;

/// <summary>Keeps a histogram and clips the range to where quantizing has the least squared error over everything seen. PyTorch has no such observer.</summary>
/// <remarks>
/// The error of a range is the sum over bins of the integral of (x - middle of its step)^2, with a density even within each bin and quant_max - quant_min + 1 steps that fill
/// the range; values outside fall into the first or the last step. The range of least error is looked for over thresholds |x| &lt;= t, then at each end
/// alone. How much that clips depends on the codes: with 4 bits an outlier is clipped hard; with 8 bits the clipped error of one value in ten thousand soon outweighs the finer
/// steps of all others, and the range shrinks only a little (<see cref="EntropyObserver"/> and <see cref="PercentileObserver"/> clip it).
/// After Banner, Nahshan and Soudry, "Post training 4-bit quantization of convolutional networks for rapid-deployment" (2019, arXiv 1810.05723), who minimize the same error for assumed
/// densities; here it is measured.
/// </remarks>
public sealed class MseObserver : HistogramObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="bins">The number of bins, which resolve the range.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme"><see cref="qscheme.per_tensor_affine"/> or <see cref="qscheme.per_tensor_symmetric"/>.</param>
    /// <param name="reduce_range">Whether the range of codes is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public MseObserver(
        int bins = 2048, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null)
        : base(nameof(MseObserver), bins, dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps)
    {
    }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="MseObserver(int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        int bins = 2048, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null) =>
        new(() => new MseObserver(bins, dtype, qscheme, reduce_range, quant_min, quant_max, eps));

    /// <inheritdoc/>
    private protected override (float Min, float Max) Clip(HistogramStatistics statistics)
    {
        var levels = (double)quant_max - quant_min + 1;
        return RangeSearch.Least(statistics, fewest: 1, (start, end) => statistics.SquaredError(start, end, levels));
    }
}
