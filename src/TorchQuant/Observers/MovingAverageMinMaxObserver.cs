namespace TorchQuant;

/// <summary>Keeps moving averages of the batches' smallest and largest values, so that a rare extreme fades: r = r + averaging_constant * (b - r), the first
/// batch whole. Scale and zero point follow by the formulas of <see cref="UniformQuantizationObserverBase"/>.</summary>
public sealed class MovingAverageMinMaxObserver : RangeObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="averaging_constant">The share of a new batch, in (0, 1]; 1 remembers the last batch only.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme"><see cref="qscheme.per_tensor_affine"/> or <see cref="qscheme.per_tensor_symmetric"/>.</param>
    /// <param name="reduce_range">Whether the range is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public MovingAverageMinMaxObserver(
        float averaging_constant = 0.01f, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null,
        int? quant_max = null, float? eps = null)
        : base(nameof(MovingAverageMinMaxObserver), dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps, channelAxis: null, averaging_constant) =>
        this.averaging_constant = averaging_constant;

    /// <summary>The share of a new batch.</summary>
    public float averaging_constant { get; }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="MovingAverageMinMaxObserver(float, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        float averaging_constant = 0.01f, qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null,
        int? quant_max = null, float? eps = null) =>
        new(() => new MovingAverageMinMaxObserver(averaging_constant, dtype, qscheme, reduce_range, quant_min, quant_max, eps));
}
