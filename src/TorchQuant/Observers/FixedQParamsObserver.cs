using System.Globalization;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>An observer of outputs whose range is known beforehand (sigmoid, tanh, softmax): it records nothing and gives the scale and the zero point it was made with.</summary>
public sealed class FixedQParamsObserver : ObserverBase
{
    /// <summary>An observer that gives these qparams.</summary>
    /// <param name="scale">The step between codes. Outputs in 0..1: 1/256 with zero point 0; outputs in -1..1: 2/256 with zero point 128.</param>
    /// <param name="zero_point">The code of zero, within the range.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="quant_min">The smallest code.</param>
    /// <param name="quant_max">The largest code.</param>
    /// <exception cref="ArgumentException">The scale is not a positive number, the range is none of the type, or the zero point lies outside it.</exception>
    public FixedQParamsObserver(float scale, int zero_point, qdtype? dtype = null, int quant_min = 0, int quant_max = 255)
        : base(nameof(FixedQParamsObserver), dtype ?? qdtype.quint8, is_dynamic: false)
    {
        if (!(scale > 0 && float.IsFinite(scale)))
            throw new ArgumentException($"A scale is a positive number; found {scale}.", nameof(scale));
        (this.quant_min, this.quant_max) = UniformQuantizationObserverBase.RangeOf(nameof(FixedQParamsObserver), base.dtype, reduceRange: false, quant_min, quant_max);
        if (zero_point < quant_min || zero_point > quant_max)
            throw new ArgumentException($"The zero point is a code, {quant_min} to {quant_max}; found {zero_point}.", nameof(zero_point));
        (this.scale, this.zero_point) = (scale, zero_point);
    }

    /// <summary>The step between codes.</summary>
    public float scale { get; }

    /// <summary>The code of zero.</summary>
    public int zero_point { get; }

    /// <summary>The smallest code.</summary>
    public int quant_min { get; }

    /// <summary>The largest code.</summary>
    public int quant_max { get; }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="FixedQParamsObserver(float, int, qdtype?, int, int)"/>
    public static ObserverFactory with_args(float scale, int zero_point, qdtype? dtype = null, int quant_min = 0, int quant_max = 255) =>
        new(() => new FixedQParamsObserver(scale, zero_point, dtype, quant_min, quant_max));

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.alias();
    }

    /// <summary>The scale (float32) and the zero point (int64) given to the constructor, each [1]; the caller disposes them.</summary>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() => (tensor([scale]), tensor([(long)zero_point]));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"FixedQParamsObserver(dtype={dtype}, scale={scale}, zero_point={zero_point}, quant_min={quant_min}, quant_max={quant_max})");
}
