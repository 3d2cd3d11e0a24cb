using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What becomes of the modules that were replaced in a copy of the user's model: nobody else holds them, so their memory is given back at once.</summary>
internal static class ReplacedModules
{
    /// <summary>Disposes them, but for those of which something is still in use: a tied parameter, modules that a custom replacement took over, a module that hands its calls on.</summary>
    /// <param name="replaced">What was replaced.</param>
    /// <param name="copy">The model they were replaced in.</param>
    /// <param name="original">The model that was copied.</param>
    public static void Dispose(IReadOnlyList<ModuleReplacement> replaced, nn.Module copy, nn.Module original)
    {
        var used = new HashSet<object>(ReferenceEqualityComparer.Instance);
        foreach (var (_, module) in ModuleTree.Walk(copy).Concat(ModuleTree.Walk(original)))
            used.UnionWith(Parts(module));
        foreach (var (_, old, _, byHook) in replaced)
            if (!byHook && !ModuleTree.Walk(old).SelectMany(m => Parts(m.Module)).Any(used.Contains))
                old.Dispose();
    }

    private static IEnumerable<object> Parts(nn.Module module) =>
        module is IQuantizedModule ? [module] : [module, .. module.named_parameters(false).Select(p => p.parameter), .. module.named_buffers(false).Select(b => b.buffer)];
}
