namespace TorchQuant;

/// <summary>Keeps the smallest and the largest value of everything it has seen and chooses one scale and one zero point from them, by the formulas of
/// <see cref="UniformQuantizationObserverBase"/>.</summary>
public sealed class MinMaxObserver : RangeObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme"><see cref="qscheme.per_tensor_affine"/> or <see cref="qscheme.per_tensor_symmetric"/>.</param>
    /// <param name="reduce_range">Whether the range is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public MinMaxObserver(
        qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null, float? eps = null)
        : base(nameof(MinMaxObserver), dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps, channelAxis: null, averagingConstant: null)
    {
    }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="MinMaxObserver(qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        qdtype? dtype = null, qscheme qscheme = qscheme.per_tensor_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null, float? eps = null) =>
        new(() => new MinMaxObserver(dtype, qscheme, reduce_range, quant_min, quant_max, eps));
}
