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
        var conversion = new ModuleConversion(_options, IsInCustom);
        var plan = new ReplacementPlan(_model, (path, module) =>
        {
            if (_run is not null && !IsInCustom(path))
                ConversionCheck.RequireAsPrepared(path, module, _run, _options);
            return conversion.Convert(path, module);
        });
        plan.DropUnplaceable(CodePooling.IsOptional);
        return plan.Commit(hookFallback: false);
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
}
