using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Collects the states of int8 parts, from which the whole module is made.</summary>
internal sealed class PartStates : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>The tensors by the dotted name of their part; they live as long as this object.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>Takes the state of a part, and disposes the part.</summary>
    /// <exception cref="ArgumentException">The part is none that computes in int8.</exception>
    public void Add(string name, nn.Module part)
    {
        using (part)
        {
            if (part is not IQuantizedModule quantized)
                throw new ArgumentException($"{name} is a {CSharpNames.Of(part.GetType())}; expected an int8 module: leave the rows of Linear and FloatFunctional as the default mapping has them.", nameof(part));
            foreach (var (entry, tensor) in quantized.ExportState())
                _tensors.Add($"{name}.{entry}", tensor);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }
}
