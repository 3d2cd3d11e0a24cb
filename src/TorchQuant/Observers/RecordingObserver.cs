using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Keeps a copy of every tensor that flows through it, for looking at what a model computes. It chooses no scale.</summary>
/// <param name="dtype">The type that the values are meant for; quint8 if not given.</param>
public sealed class RecordingObserver(qdtype? dtype = null) : ObserverBase(nameof(RecordingObserver), dtype ?? qdtype.quint8, is_dynamic: false)
{
    private readonly List<Tensor> _values = [];

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="RecordingObserver(qdtype?)"/>
    public static ObserverFactory with_args(qdtype? dtype = null) => new(() => new RecordingObserver(dtype));

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using (no_grad())
            _values.Add(input.clone().DetachFromDisposeScope());
        return input.alias();
    }

    /// <summary>The copies, in the order of the calls. They belong to the observer and are disposed with it.</summary>
    public IReadOnlyList<Tensor> get_tensor_value() => _values;

    /// <summary>Appends copies of what another observer has kept, as if this one had seen it too, afterwards.</summary>
    /// <param name="other">The other observer; it is left as it is.</param>
    /// <exception cref="ArgumentException"><paramref name="other"/> is this observer.</exception>
    public void Merge(RecordingObserver other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (ReferenceEquals(this, other))
            throw new ArgumentException("An observer cannot be merged with itself: its values would count twice.", nameof(other));
        foreach (var value in other._values)
            _values.Add(value.clone().DetachFromDisposeScope());
    }

    /// <summary>Always refused: values are kept, not measured.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() =>
        throw new InvalidOperationException(
            "A RecordingObserver keeps values (get_tensor_value) and chooses no scale and zero point. Use a MinMaxObserver or a HistogramObserver to quantize.");

    /// <inheritdoc/>
    public override string ToString() => $"RecordingObserver(dtype={base.dtype})";

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _values.ForEach(value => value.Dispose());
            _values.Clear();
        }
        base.Dispose(disposing);
    }
}
