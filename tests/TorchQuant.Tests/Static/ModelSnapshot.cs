using System.Collections;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>Everything about a model that a refused call must leave as it was: which objects, their flags, hooks and qconfigs, and the values of parameters and buffers.</summary>
internal static class ModelSnapshot
{
    public static List<string> Of(nn.Module model) => [.. ModuleTree.Walk(model).SelectMany(Lines)];

    private static IEnumerable<string> Lines((string Path, nn.Module Module) at)
    {
        var (path, module) = at;
        var qconfig = ModuleQConfig.TryGet(module, out var set) ? set?.ToString() ?? "null" : "unset";
        var hooks = ModuleHooks.Hookable(module) is { } hookable ? ModuleHooks.Tables(hookable).Sum(t => ((IDictionary)t.GetValue(module)!).Count) : 0;
        yield return $"{path}: {module.GetType().Name} #{RuntimeHelpers.GetHashCode(module)} training={module.training} hooks={hooks} qconfig={qconfig}";
        foreach (var (name, parameter) in module.named_parameters(false))
            yield return $"{path}.{name}: {Values(parameter)}";
        foreach (var (name, buffer) in module.named_buffers(false))
            yield return $"{path}.{name}: {Values(buffer)}";
    }

    private static string Values(Tensor tensor) => $"#{tensor.Handle} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(tensor.bytes))}";
}
