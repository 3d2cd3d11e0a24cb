using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The tensors that the forward of an autograd function makes. Autograd holds what it saved itself; TorchSharp leaves their managed ends to the garbage collector, which does not see how large they are.</summary>
internal sealed class SavedTensors : IDisposable
{
    private readonly List<Tensor> _tensors = [];

    /// <summary>Disposes it with this object.</summary>
    public Tensor Keep(Tensor tensor)
    {
        _tensors.Add(tensor);
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose() => _tensors.ForEach(t => t.Dispose());
}
