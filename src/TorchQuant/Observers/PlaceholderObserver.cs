using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>An observer that records nothing and only carries settings: the activations of dynamic quantization, whose range every input gives
/// anew, and float16 weights.</summary>
/// <param name="dtype">The type to quantize to; float32 if not given, which means not at all.</param>
/// <param name="is_dynamic">Whether the quantized module finds the range of every input when it runs.</param>
/// <param name="reduce_range">Whether dynamic activations use the codes 0..127 only, as PyTorch's fbgemm, x86 and onednn backends do because 8-bit
/// products can saturate on CPUs without VNNI. Our kernels never saturate and need it only to reproduce PyTorch's numbers.</param>
/// <exception cref="ArgumentException"><paramref name="reduce_range"/> without <paramref name="is_dynamic"/>, or for a type other than quint8.</exception>
public sealed class PlaceholderObserver(qdtype? dtype = null, bool is_dynamic = false, bool reduce_range = false)
    : ObserverBase(nameof(PlaceholderObserver), dtype ?? qdtype.float32, is_dynamic)
{
    /// <summary>Whether dynamic activations use the codes 0..127 only.</summary>
    public bool reduce_range { get; } = !reduce_range || (is_dynamic && dtype == qdtype.quint8)
        ? reduce_range
        : throw new ArgumentException(
            $"reduce_range: true is a setting of dynamic quint8 activations, found dtype {dtype ?? qdtype.float32}, is_dynamic {is_dynamic}.", nameof(reduce_range));

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="PlaceholderObserver(qdtype?, bool, bool)"/>
    public static ObserverFactory with_args(qdtype? dtype = null, bool is_dynamic = false, bool reduce_range = false) =>
        new(() => new PlaceholderObserver(dtype, is_dynamic, reduce_range));

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.alias();
    }

    /// <summary>Always refused: a placeholder observes nothing.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() =>
        throw new InvalidOperationException(
            "A PlaceholderObserver observes nothing and has no scale and zero point: dynamic quantization chooses them for every input. " +
            "Use a MinMaxObserver or a PerChannelMinMaxObserver where the range must be known beforehand.");

    /// <inheritdoc/>
    public override string ToString() => $"PlaceholderObserver(dtype={base.dtype}, is_dynamic={base.is_dynamic}, reduce_range={this.reduce_range})";
}
