using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What <c>convert</c> does after its arguments are read: replaces every observed module by the int8 module of the mapping. Nothing is changed if something is refused.</summary>
internal sealed class StaticConverter
{
    private readonly nn.Module _model;
    private readonly ConversionOptions _options;
    private readonly CalibrationRun? _run;
    private readonly List<string> _customPaths;

    /// <summary>Reads the model, which is not changed.</summary>
    /// <exception cref="ArgumentException">The model is not prepared, or has not run on data; the message says what to do.</exception>
    public StaticConverter(nn.Module model, ConversionOptions options)
    {
        (_model, _options) = (model, options);
        var walk = ModuleTree.Walk(model);
        _run = ConversionCheck.RequireCalibrated(model, walk);
        _customPaths = [.. walk.Where(m => options.Custom.ObservedTypes.Contains(m.Module.GetType())).Select(m => m.Path + ".")];
    }

    /// <summary>Converts in the model itself, which is in eval mode afterwards.</summary>
    /// <param name="check">Whether to run the converted model once.</param>
    /// <param name="removeQConfig">Whether its modules lose their qconfig.</param>
    /// <returns>What was replaced.</returns>
    /// <exception cref="ModuleReplacementException">Something cannot be converted; all of it is listed, and the model is unchanged.</exception>
    /// <exception cref="ConvertedModelException">The converted model cannot compute; the model is unchanged.</exception>
    public IReadOnlyList<ModuleReplacement> Apply(bool check, bool removeQConfig)
    {
        var training = ModuleTree.Walk(_model).Select(m => (m.Module, m.Module.training)).ToList();
        var replaced = Replace();
        _model.eval();
        if (check && _run?.Example is { } example)
        {
            try
            {
                ForwardCheck.Run(_model, example);
            }
            catch
            {
                PutBack(replaced);
                foreach (var (module, flag) in training) // parents first: train sets the flags of all that is in a module
                    module.train(flag);
                throw;
            }
        }

        var modules = ModuleTree.Walk(_model).Select(m => m.Module).ToList();
        CalibrationHooks.Remove(modules);
        if (removeQConfig)
            modules.ForEach(ModuleQConfig.Remove);
        return replaced;
    }

    private IReadOnlyList<ModuleReplacement> Replace()
    {
        using var noGrad = no_grad();
        return ModuleTree.Replace(_model, (path, module) =>
        {
            if (_run is not null && !IsInCustom(path))
                ConversionCheck.RequireAsPrepared(path, module, _run, _options);
            return Replacement(path, module);
        });
    }

    private void PutBack(IReadOnlyList<ModuleReplacement> replaced)
    {
        var old = new Dictionary<nn.Module, nn.Module>(ReferenceEqualityComparer.Instance);
        foreach (var (_, before, now, _) in replaced)
        {
            old.Add(now, before);
            ModuleHooks.TakeOff(now); // the old module has them still
        }
        ModuleTree.Replace(_model, (_, module) => old.GetValueOrDefault(module));
        foreach (var now in old.Keys)
            now.Dispose();
    }

    private bool IsInCustom(string path) => _customPaths.Any(custom => path.StartsWith(custom, StringComparison.Ordinal));

    private nn.Module? Replacement(string path, nn.Module module)
    {
        if (module is IQatRecurrent { Calibration: { } trained } recurrent)
            return recurrent.ToDynamic(trained.Path);
        var inner = Inner(module);
        if (_options.Custom.TryGetObserved(inner.GetType(), out var row))
            return row.FromObserved is not null && ConversionOf(path, module) is { } custom ? row.FromObserved(inner, custom) : null;
        if (ConversionOf(path, module) is not { } conversion)
            return null;
        return Made(module, conversion);
    }

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
            AllowReuse = _options.AllowReuse || IsInCustom(path),
            WeightGrid = (module as QatModule)?.TrainedGrid(record.Path),
            Parts = part => Part(record.Path, part),
        },
        IObserved => null,
        _ when ModuleQConfig.TryGet(module, out var qconfig) && qconfig is not null && (module is Embedding or EmbeddingBag || _options.Custom.ObservedTypes.Contains(module.GetType())) =>
            new StaticConversion(path, qconfig, null) { Parts = part => Part(path, part) },
        _ => null,
    };

    private nn.Module Made(nn.Module module, StaticConversion conversion)
    {
        using var folded = (module as QatModule)?.Folded();
        var inner = folded ?? Inner(module);
        if (!_options.Mapping.TryGetValue(inner.GetType(), out var make))
            throw new ArgumentException($"{conversion.Path}: prepare observed it, and the mapping has no row for {CSharpNames.Of(inner.GetType())}: give convert the mapping that prepare was given.");
        var made = make(inner, conversion) ?? throw new InvalidOperationException($"{conversion.Path}: the mapping's factory for {inner.GetType().Name} gave null.");
        if (_options.IsReference && made is StaticQuantizedModule int8 && inner is nn.Module<Tensor, Tensor> plain)
        {
            using (int8)
                return ReferenceModule.Of(plain, conversion, int8);
        }
        if (module is ObservedModule && !ReferenceEquals(inner, made))
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
