using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The tensors of one copy: each is copied once, and tensors that were one native tensor stay one.</summary>
internal sealed class TensorCopies
{
    private readonly Dictionary<Tensor, Tensor> _byObject = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<TensorIdentity, Tensor> _byMemory = [];

    /// <summary>The copy: own storage, detached from graph and DisposeScope, same requires_grad; a Parameter for a Parameter. Gradients are not copied.</summary>
    public Tensor Copy(Tensor tensor)
    {
        if (tensor.IsInvalid) return tensor;
        if (_byObject.TryGetValue(tensor, out var known)) return known;
        if (Tied(tensor) is { } tied)
        {
            var alias = tied.alias();
            return _byObject[tensor] = (tensor is Parameter ? new Parameter(alias, tied.requires_grad) : alias).DetachFromDisposeScope();
        }

        using var plain = tensor.detach();
        var copy = plain.clone();
        copy = tensor is Parameter ? new Parameter(copy, tensor.requires_grad) : copy.with_requires_grad(tensor.requires_grad && tensor.is_leaf);
        Add(tensor, copy.DetachFromDisposeScope());
        return copy;
    }

    /// <summary>The copy of a tensor that shares its memory with this one, or null.</summary>
    public Tensor? Tied(Tensor tensor) => _byMemory.GetValueOrDefault(TensorIdentity.Of(tensor));

    /// <summary>Makes <paramref name="copy"/> known as the copy of <paramref name="tensor"/>.</summary>
    public void Add(Tensor tensor, Tensor copy)
    {
        _byObject[tensor] = copy;
        _byMemory.TryAdd(TensorIdentity.Of(tensor), copy);
    }

    /// <summary>The copy is given up.</summary>
    public void Dispose()
    {
        foreach (var copy in _byObject.Values) copy.Dispose();
    }
}
