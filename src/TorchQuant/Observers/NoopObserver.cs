using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>An observer that does nothing: it carries the type of something that is cast, as float16 weights, and not quantized.</summary>
/// <param name="dtype">The type; float16 if not given.</param>
public sealed class NoopObserver(qdtype? dtype = null) : ObserverBase(nameof(NoopObserver), dtype ?? qdtype.float16, is_dynamic: false)
{
    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="NoopObserver(qdtype?)"/>
    public static ObserverFactory with_args(qdtype? dtype = null) => new(() => new NoopObserver(dtype));

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.alias();
    }

    /// <summary>Always refused: nothing was observed.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() =>
        throw new InvalidOperationException("A NoopObserver observes nothing and has no scale and zero point. Use a MinMaxObserver where values are to be quantized.");

    /// <inheritdoc/>
    public override string ToString() => $"NoopObserver(dtype={base.dtype})";
}
