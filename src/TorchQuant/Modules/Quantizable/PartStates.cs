using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Converts the observed parts of a module and collects their states, from which the whole int8 module is made.</summary>
/// <param name="conversion">Converts a part.</param>
internal sealed class PartStates(StaticConversion conversion) : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>The tensors by the dotted name of their part; they live as long as this object.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>Adds what an observed part becomes.</summary>
    /// <typeparam name="T">What it becomes in the default mapping: the only module whose place is taken.</typeparam>
    /// <param name="name">The part's dotted name in the module.</param>
    /// <param name="observed">The observed part; it is not changed.</param>
    public void Add<T>(string name, nn.Module observed) where T : nn.Module, IQuantizedModule
    {
        using var part = conversion.Convert<T>(observed);
        foreach (var (entry, tensor) in part.ExportState())
            _tensors.Add($"{name}.{entry}", tensor);
    }

    /// <summary>Adds a copy of a tensor.</summary>
    public void Add(string name, Tensor tensor)
    {
        using var detached = tensor.detach();
        _tensors.Add(name, detached.clone());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }
}
