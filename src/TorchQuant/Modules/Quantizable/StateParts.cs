using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The state of a module that has int8 parts: the tensors of each part under its dotted name, as if the part were a module of its own.</summary>
internal static class StateParts
{
    /// <summary>The tensors of one part, named relative to it; borrowed.</summary>
    public static Dictionary<string, Tensor> Of(IReadOnlyDictionary<string, Tensor> state, string part)
    {
        var prefix = part + ".";
        return state.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value, StringComparer.Ordinal);
    }

    /// <summary>Adds the tensors of a part.</summary>
    public static void Add(List<KeyValuePair<string, Tensor>> state, string part, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        foreach (var (name, tensor) in tensors)
            state.Add(new($"{part}.{name}", tensor));
    }

    /// <summary>The scale and zero point of a part that gives quint8.</summary>
    /// <exception cref="ArgumentException">They are missing or none of quint8.</exception>
    public static QParams Output(IReadOnlyDictionary<string, Tensor> state, string part, string path) => OutputState.Import(Of(state, part), PackedState.Join(path, part));

    /// <summary>Adds scale and zero point of a part.</summary>
    public static void AddOutput(List<KeyValuePair<string, Tensor>> state, string part, QParams output)
    {
        var own = new List<KeyValuePair<string, Tensor>>();
        OutputState.Export(own, output);
        Add(state, part, own);
    }
}
