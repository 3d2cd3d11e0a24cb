using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The names of what is in a module that takes the place of the float module it holds: that of the float module as it was, without a name between, and what quantization needs beside it.</summary>
internal static class StateInPlace
{
    /// <summary>The parameters of the float module and of the parts beside it.</summary>
    public static IEnumerable<(string name, Parameter parameter)> Parameters(nn.Module module, params IEnumerable<(string Name, nn.Module? Module)> parts) =>
        [.. module.named_parameters(), .. Named(parts).SelectMany(part => part.Module.named_parameters().Select(p => ($"{part.Name}.{p.name}", p.parameter)))];

    /// <summary>The buffers of the float module and of the parts beside it.</summary>
    public static IEnumerable<(string name, Tensor buffer)> Buffers(bool nonPersistent, nn.Module module, params IEnumerable<(string Name, nn.Module? Module)> parts) =>
        [.. module.named_buffers(true, nonPersistent), .. Named(parts).SelectMany(part => part.Module.named_buffers(true, nonPersistent).Select(b => ($"{part.Name}.{b.name}", b.buffer)))];

    /// <summary>Parameters and persistent buffers of the float module and of the parts beside it.</summary>
    public static Dictionary<string, Tensor> State(Dictionary<string, Tensor>? destination, string? prefix, nn.Module module, params IEnumerable<(string Name, nn.Module? Module)> parts)
    {
        destination ??= [];
        module.state_dict(destination, prefix);
        foreach (var (name, part) in Named(parts))
            part.state_dict(destination, string.IsNullOrEmpty(prefix) ? name : $"{prefix}.{name}");
        return destination;
    }

    private static IEnumerable<(string Name, nn.Module Module)> Named(IEnumerable<(string Name, nn.Module? Module)> parts)
    {
        foreach (var (name, module) in parts)
            if (module is not null)
                yield return (name, module);
    }
}
