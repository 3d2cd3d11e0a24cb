using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Keeps the smallest and the largest value for each index of one axis and chooses a scale and a zero point for each, by the formulas of
/// <see cref="UniformQuantizationObserverBase"/>.</summary>
public sealed class PerChannelMinMaxObserver : UniformQuantizationObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="ch_axis">The axis of the channels; negative counts from the end. 0 is the output axis of a Linear's weight.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme">One of the per-channel schemes.</param>
    /// <param name="reduce_range">Whether the range is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public PerChannelMinMaxObserver(
        int ch_axis = 0, qdtype? dtype = null, qscheme qscheme = qscheme.per_channel_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null)
        : base(nameof(PerChannelMinMaxObserver), dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps)
    {
        RequireScheme(qscheme.per_channel_affine, qscheme.per_channel_symmetric, qscheme.per_channel_affine_float_qparams);
        this.ch_axis = ch_axis;
        min_val = empty(0);
        max_val = empty(0);
    }

    /// <summary>The axis of the channels.</summary>
    public int ch_axis { get; }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="PerChannelMinMaxObserver(int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        int ch_axis = 0, qdtype? dtype = null, qscheme qscheme = qscheme.per_channel_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null) =>
        new(() => new PerChannelMinMaxObserver(ch_axis, dtype, qscheme, reduce_range, quant_min, quant_max, eps));

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values, has no axis <see cref="ch_axis"/>, or another number of channels than before.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.numel() > 0)
            Record(input);
        return input.alias();
    }

    private void Record(Tensor input)
    {
        var axis = ch_axis < 0 ? ch_axis + input.dim() : ch_axis;
        if (axis < 0 || axis >= input.dim())
            throw new ArgumentException($"{nameof(PerChannelMinMaxObserver)} has ch_axis {ch_axis}, and the input has the shape [{string.Join(", ", input.shape)}].", nameof(input));
        var channels = input.shape[axis];
        if (min_val.numel() > 0 && min_val.numel() != channels)
            throw new ArgumentException(
                $"{nameof(PerChannelMinMaxObserver)} has observed {min_val.numel()} channels on axis {ch_axis}, and the input has {channels}: one observer serves one tensor.",
                nameof(input));
        using var noGrad = no_grad();
        using var values = input.to(ScalarType.Float32);
        using var turned = values.transpose(0, axis);
        using var rows = turned.reshape(channels, -1);
        using var low = rows.amin(1);
        using var high = rows.amax(1);
        RequireFinite(low, high);
        if (min_val.numel() == 0)
        {
            min_val = low.clone();
            max_val = high.clone();
            return;
        }
        using var lowest = minimum(min_val, low);
        using var highest = maximum(max_val, high);
        min_val.copy_(lowest);
        max_val.copy_(highest);
    }
}
