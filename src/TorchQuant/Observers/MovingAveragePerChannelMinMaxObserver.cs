namespace TorchQuant;

/// <summary>As <see cref="MovingAverageMinMaxObserver"/>, for each index of one axis.</summary>
public sealed class MovingAveragePerChannelMinMaxObserver : RangeObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="averaging_constant">The share of a new batch, in (0, 1]; 1 remembers the last batch only.</param>
    /// <param name="ch_axis">The axis of the channels; negative counts from the end. 0 is the output axis of a Linear's weight.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme">One of the per-channel schemes.</param>
    /// <param name="reduce_range">Whether the range is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public MovingAveragePerChannelMinMaxObserver(
        float averaging_constant = 0.01f, int ch_axis = 0, qdtype? dtype = null, qscheme qscheme = qscheme.per_channel_affine, bool reduce_range = false,
        int? quant_min = null, int? quant_max = null, float? eps = null)
        : base(nameof(MovingAveragePerChannelMinMaxObserver), dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps, ch_axis, averaging_constant)
    {
        this.averaging_constant = averaging_constant;
        this.ch_axis = ch_axis;
    }

    /// <summary>The share of a new batch.</summary>
    public float averaging_constant { get; }

    /// <summary>The axis of the channels.</summary>
    public int ch_axis { get; }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="MovingAveragePerChannelMinMaxObserver(float, int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        float averaging_constant = 0.01f, int ch_axis = 0, qdtype? dtype = null, qscheme qscheme = qscheme.per_channel_affine, bool reduce_range = false,
        int? quant_min = null, int? quant_max = null, float? eps = null) =>
        new(() => new MovingAveragePerChannelMinMaxObserver(averaging_constant, ch_axis, dtype, qscheme, reduce_range, quant_min, quant_max, eps));
}
