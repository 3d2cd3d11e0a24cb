using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The plain tensors that a quantized module has handed out through <c>state_dict()</c> and that it takes back before it next
/// computes: see the remarks of <see cref="IQuantizedModule"/>.</summary>
/// <param name="export">Unpacks the weights into new tensors.</param>
/// <param name="import">Packs the weights again from tensors named as <paramref name="export"/> names them.</param>
internal sealed class LentState(
    Func<IReadOnlyList<KeyValuePair<string, Tensor>>> export,
    Action<IReadOnlyDictionary<string, Tensor>> import)
{
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<KeyValuePair<string, Tensor>>? _lent;

    /// <summary>The body of a quantized module's <c>state_dict</c>: adds the plain tensors under <paramref name="prefix"/>. The same tensors
    /// are handed out until they are taken back.</summary>
    public Dictionary<string, Tensor> Lend(Dictionary<string, Tensor>? destination, string? prefix)
    {
        destination ??= [];
        IReadOnlyList<KeyValuePair<string, Tensor>> lent;
        lock (_gate)
        {
            if (_lent is { } old && old.Any(entry => entry.Value.IsInvalid))
                TakeBack();
            lent = _lent ??= export();
        }
        foreach (var (name, tensor) in lent)
            destination.TryAdd(string.IsNullOrEmpty(prefix) ? name : $"{prefix}.{name}", tensor);
        return destination;
    }

    /// <summary>Called first in every forward and in every export: packs the weights again if tensors are lent. A tensor that was disposed
    /// meanwhile counts as unchanged.</summary>
    public void TakeBack()
    {
        if (_lent is null)
            return;
        lock (_gate)
        {
            if (_lent is not { } lent)
                return;
            var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            IReadOnlyList<KeyValuePair<string, Tensor>> current = lent.Any(entry => entry.Value.IsInvalid) ? export() : [];
            foreach (var (name, tensor) in current)
                state[name] = tensor;
            foreach (var (name, tensor) in lent)
                if (!tensor.IsInvalid)
                    state[name] = tensor;
            import(state);
            _lent = null;
            foreach (var (_, tensor) in current)
                tensor.Dispose();
        }
    }

    /// <summary>The module is disposed: so are the tensors that are still lent, as those of any module are.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var (_, tensor) in _lent ?? [])
                tensor.Dispose();
            _lent = null;
        }
    }
}
