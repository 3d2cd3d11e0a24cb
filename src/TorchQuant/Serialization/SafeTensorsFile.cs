using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What a safetensors file holds. Disposing it disposes the tensors.</summary>
/// <param name="Tensors">New tensors on the CPU by name, outside of any DisposeScope.</param>
/// <param name="Metadata">The strings of the header's <c>__metadata__</c>.</param>
public sealed record SafeTensorsFile(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }
}
