namespace TorchQuant;

/// <summary>Makes observers that are all set up alike: what <c>with_args</c> of an observer class gives, and what a <see cref="QConfig"/> holds.</summary>
public sealed class ObserverFactory
{
    private readonly Func<ObserverBase> _create;
    private string? _text;

    /// <summary>A factory of observers of your own.</summary>
    /// <param name="create">Makes a new observer at every call.</param>
    /// <exception cref="ArgumentNullException"><paramref name="create"/> is null.</exception>
    public ObserverFactory(Func<ObserverBase> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        _create = create;
    }

    /// <summary>Makes a new observer, which has seen nothing; the caller disposes it.</summary>
    /// <exception cref="InvalidOperationException">The factory gave null.</exception>
    public ObserverBase Create() => _create() ?? throw new InvalidOperationException("The factory of observers gave null.");

    /// <summary>The observer's class and settings: <c>MinMaxObserver(dtype=qint8, qscheme=per_tensor_symmetric)</c>.</summary>
    public override string ToString()
    {
        if (_text is null)
        {
            using var sample = Create();
            _text = sample.ToString() ?? sample.GetType().Name;
        }
        return _text;
    }
}
