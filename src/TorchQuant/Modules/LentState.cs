using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The plain tensors that a quantized module has handed out through <c>named_buffers()</c> and that it takes back before it next
/// computes: see the remarks of <see cref="IQuantizedModule"/>.</summary>
/// <param name="export">Unpacks the weights into new tensors.</param>
/// <param name="import">Packs the weights again from tensors named as <paramref name="export"/> names them.</param>
internal sealed class LentState(
    Func<IReadOnlyList<KeyValuePair<string, Tensor>>> export,
    Action<IReadOnlyDictionary<string, Tensor>> import)
{
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<KeyValuePair<string, Tensor>>? _lent;
    private bool _disposed;

    /// <summary>The body of a quantized module's <c>named_buffers</c>. The same tensors are handed out until they are taken back.</summary>
    public IEnumerable<(string name, Tensor buffer)> Lend()
    {
        lock (_gate)
        {
            if (_disposed)
                return [];
            if (_lent is { } old && old.Any(entry => entry.Value.IsInvalid))
                TakeBack();
            _lent ??= export();
            return [.. _lent.Select(entry => (entry.Key, entry.Value))];
        }
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
            _disposed = true;
        }
    }
}
