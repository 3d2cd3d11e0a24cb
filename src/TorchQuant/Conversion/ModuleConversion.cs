using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Makes the int8 module for one observed module.</summary>
/// <param name="options">The mappings, and what is allowed.</param>
/// <param name="isPart">Whether the module of a path is a part of a custom module, which may call it as often as it wants.</param>
internal sealed class ModuleConversion(ConversionOptions options, Func<string, bool> isPart)
{
    /// <summary>The int8 module for a module of a prepared model.</summary>
    /// <returns>A new module; null where the module stays.</returns>
    /// <exception cref="ArgumentException">It cannot be converted; the message names it.</exception>
    /// <exception cref="InvalidOperationException">It has seen nothing, or was called more than once in a pass; the message names it.</exception>
    public nn.Module? Convert(string path, nn.Module module)
    {
        if (module is IQatRecurrent { Calibration: { } trained } recurrent)
            return recurrent.ToDynamic(trained.Path);
        var inner = Inner(module);
        if (options.Custom.TryGetObserved(inner.GetType(), out var row))
            return IsConverted(row) && ConversionOf(path, module) is { } custom ? row.FromObserved!(inner, custom) : null;
        if (ConversionOf(path, module) is { } conversion)
            return Made(module, conversion);
        return !options.IsReference && ModuleQConfig.TryGet(module, out var qconfig) && qconfig is not null ? CodePooling.Of(path, module, qconfig) : null;
    }

    /// <summary>Whether a custom module becomes another; else its parts become int8 in it, or, for a reference, compute in float.</summary>
    private bool IsConverted(CustomModuleMapping.Row row) => row.FromObserved is not null && (!options.IsReference || row.ObserveOutput);

    /// <summary>The int8 module for a part of a custom module.</summary>
    private nn.Module Part(string path, nn.Module part)
    {
        if (part is not IObserved { Calibration: not null } || ConversionOf(path, part) is not { } conversion)
            throw new ArgumentException($"{path}: a {CSharpNames.Of(part.GetType())} in it is not observed, so it cannot be converted; is its qconfig null, or its type missing in the mapping?");
        return Made(part, conversion with { AllowReuse = true });
    }

    private StaticConversion? ConversionOf(string path, nn.Module module) => module switch
    {
        IObserved { Calibration: { } record } watched => new StaticConversion(record.Path, (module as IQatEmbedding)?.weight_fake_quant.Converted ?? record.QConfig, watched.activation_post_process)
        {
            Calibration = record,
            AllowReuse = options.AllowReuse || isPart(path),
            WeightGrid = (module as QatModule)?.TrainedGrid(record.Path),
            Parts = part => Part(record.Path, part),
        },
        IObserved => null,
        _ when ModuleQConfig.TryGet(module, out var qconfig) && qconfig is not null && (module is Embedding or EmbeddingBag || options.Custom.ObservedTypes.Contains(module.GetType())) =>
            new StaticConversion(path, qconfig, null) { Parts = part => Part(path, part) },
        _ => null,
    };

    /// <summary>The int8 module for a module of a prepared model that is to stay as it is, hooks and all.</summary>
    /// <param name="path">The module's dotted path.</param>
    /// <param name="module">A module that is observed.</param>
    /// <returns>Null if the mapping has no row for it.</returns>
    public nn.Module? Twin(string path, nn.Module module)
    {
        using var folded = (module as QatModule)?.Folded();
        var inner = folded ?? Inner(module);
        return options.Mapping.TryGetValue(inner.GetType(), out _) ? Mapped(inner, ConversionOf(path, module)!) : null;
    }

    private nn.Module Mapped(nn.Module inner, StaticConversion conversion)
    {
        if (!options.Mapping.TryGetValue(inner.GetType(), out var make))
            throw new ArgumentException($"{conversion.Path}: prepare observed it, and the mapping has no row for {CSharpNames.Of(inner.GetType())}: give convert the mapping that prepare was given.");
        return make(inner, conversion) ?? throw new InvalidOperationException($"{conversion.Path}: the mapping's factory for {inner.GetType().Name} gave null.");
    }

    private nn.Module Made(nn.Module module, StaticConversion conversion)
    {
        using var folded = (module as QatModule)?.Folded();
        var inner = folded ?? Inner(module);
        var made = Mapped(inner, conversion);
        if (options.IsReference && made is StaticQuantizedModule int8 && inner is nn.Module<Tensor, Tensor> plain)
        {
            using (int8)
                return ReferenceModule.Of(plain, conversion, int8);
        }
        if (module is ObservedModule && !ReferenceEquals(inner, made) && HookRedirect.Of(inner) is null)
            ModuleHooks.Carry(inner, made);
        return made;
    }

    private static nn.Module Inner(nn.Module module) => module switch
    {
        ObservedModule observed => observed.module,
        QatModule trained => trained.module,
        QatKeptGrid kept => kept.module,
        IQatEmbedding trained => trained.module,
        _ => module,
    };
}
