using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Serialization;

/// <summary>The parameters and persistent buffers that the float modules of a model hold themselves, by dotted name, in the order of the walk. Borrowed tensors.</summary>
internal sealed class ModelState
{
    private ModelState()
    {
    }

    /// <summary>Name and tensor of each distinct tensor, under the first name that it has.</summary>
    public Dictionary<string, Tensor> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>Further name to first name, of tensors that several modules share.</summary>
    public Dictionary<string, string> Tied { get; } = new(StringComparer.Ordinal);

    /// <summary>The state of all modules but the quantized ones.</summary>
    public static ModelState Of(IReadOnlyList<(string Path, nn.Module Module)> modules)
    {
        var state = new ModelState();
        var first = new Dictionary<TensorIdentity, string>();
        foreach (var (path, module) in modules)
        {
            if (module is IQuantizedModule) continue;
            foreach (var (name, tensor) in Own(module))
            {
                var full = PackedState.Join(path, name);
                if (first.TryAdd(TensorIdentity.Of(tensor), full)) state.Tensors[full] = tensor;
                else state.Tied[full] = first[TensorIdentity.Of(tensor)];
            }
        }

        return state;
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Own(nn.Module module)
    {
        foreach (var (name, parameter) in TorchSharpPrivates.Parameters(module)) yield return (name, parameter);
        foreach (var (name, (tensor, persistent)) in TorchSharpPrivates.Buffers(module))
            if (persistent && !tensor.IsInvalid) yield return (name, tensor);
    }
}
