using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What <c>convert</c> does after its arguments are read: replaces every observed module by the int8 module of the mapping. Nothing is changed if something is refused.</summary>
internal static class StaticConverter
{
    /// <summary>Converts in the model itself.</summary>
    /// <returns>What was replaced.</returns>
    /// <exception cref="ArgumentException">The model is not prepared.</exception>
    /// <exception cref="ModuleReplacementException">Something cannot be converted; all of it is listed, and the model is unchanged.</exception>
    public static IReadOnlyList<ModuleReplacement> Apply(nn.Module model, StaticModuleMapping mapping)
    {
        var walk = ModuleTree.Walk(model);
        if (!walk.Any(m => m.Module is IObserved { Calibration: not null }))
            throw new ArgumentException("The model is not prepared: call quantization.prepare, run the prepared model on data, then convert.", nameof(model));
        using var noGrad = no_grad();
        return ModuleTree.Replace(model, (path, module) => Replacement(path, module, mapping));
    }

    private static nn.Module? Replacement(string path, nn.Module module, StaticModuleMapping mapping)
    {
        var inner = module is ObservedModule observed ? observed.module : module;
        var conversion = module switch
        {
            IObserved { Calibration: { } record } watched => new StaticConversion(path, record.QConfig, watched.activation_post_process),
            Embedding or EmbeddingBag when ModuleQConfig.TryGet(module, out var qconfig) && qconfig is not null => new StaticConversion(path, qconfig, null),
            _ => null,
        };
        if (conversion is null || !mapping.TryGetValue(inner.GetType(), out var make))
            return null;
        return make(inner, conversion) ?? throw new InvalidOperationException($"{path}: the mapping's factory for {inner.GetType().Name} gave null.");
    }
}
