using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Refuses what <c>convert</c> cannot make a right model of, with what to do instead. Models are only read.</summary>
internal static class ConversionCheck
{
    /// <summary>Refuses a model that is not prepared, is converted, has not run on data, or got a qconfig since.</summary>
    /// <returns>Its calibration; null where <c>prepare</c> was given another model, of which this one is a part, or which is a part of this one.</returns>
    /// <exception cref="ArgumentException">It is refused.</exception>
    public static CalibrationRun? RequireCalibrated(nn.Module model, IReadOnlyList<(string Path, nn.Module Module)> walk)
    {
        var observed = walk.Where(m => m.Module is IObserved { Calibration: not null }).Select(m => (m.Path, Module: (IObserved)m.Module)).ToList();
        var run = CalibrationHooks.RunOf(model) ?? observed.FirstOrDefault(m => m.Path == m.Module.Calibration!.Path).Module?.Calibration?.Run;
        if (observed.Count == 0 && run is null)
            throw new ArgumentException(
                walk.Any(m => m.Module is Quantize or DeQuantize or QFunctional or StaticQuantizedModule)
                    ? "The model is converted already: convert takes the prepared model."
                    : "The model is not prepared: call quantization.prepare, run the prepared model on data, then convert.", nameof(model));
        var observers = observed.Where(m => m.Module.activation_post_process is not (null or FixedQParamsObserver or FixedQParamsFakeQuantize)).ToList();
        if (observers.Count > 0 && observers.All(m => m.Module.Calibration is { Calls: 0, ScalarCalls: 0 } && StaticConversion.HasSeenNothing(m.Module.activation_post_process!)))
            throw new ArgumentException(
                $"The prepared model has not run: none of its {observers.Count} observers has seen anything. Run it on data like what it will see (prepared.call(batch)), then convert. "
                + "The model is unchanged.", nameof(model));
        if (run is not null && ModuleQConfig.TryGet(model, out var own) && !Same(own, run.Decisions.GetValueOrDefault("")))
            throw new ArgumentException($"The model: {SetAfterPrepare(own, run.Decisions.GetValueOrDefault(""))} The model is unchanged.", nameof(model));
        return run;
    }

    /// <summary>Refuses a module whose qconfig was set, or which came into the model, after <c>prepare</c>, and a batch norm that was not fused.</summary>
    /// <exception cref="ArgumentException">It is refused.</exception>
    public static void RequireAsPrepared(string path, nn.Module module, CalibrationRun run, ConversionOptions options)
    {
        var known = run.Decisions.TryGetValue(path, out var decided);
        var name = $"{path} ({CSharpNames.Of(module.GetType())})";
        if (known && ModuleQConfig.TryGet(module, out var own) && !Same(own, decided))
            throw new ArgumentException($"{name}: {SetAfterPrepare(own, decided)}");
        var isNew = !known || (decided is not null && module is not (Embedding or EmbeddingBag));
        if (isNew && module is not (IObserved { Calibration: not null } or ObserverBase) && options.Mapping.Types.Contains(module.GetType()))
            throw new ArgumentException($"{name} came into the model after prepare, so its output was not observed: change the float model, prepare it again and run it on data.");
        if (!options.AllowUnfused && module is (ObservedModule or BatchNorm) && Unfused(path, run) is { } refusal)
            throw new ArgumentException(refusal);
    }

    private static string? Unfused(string path, CalibrationRun run)
    {
        if (run.Unfused.TryGetValue(path, out var layer))
            return $"{path} follows {layer} and is not fused with it, which costs speed and accuracy: before prepare call model = quantization.fuse_modules(model, [[\"{layer}\", \"{path}\"]]) "
                + "(after a convolution with the name of the ReLU that follows as a third); or convert with allow_unfused: true.";
        var inside = run.Unfused.FirstOrDefault(entry => entry.Key.StartsWith(path + ".", StringComparison.Ordinal));
        return inside.Key is null
            ? null
            : $"{path} follows {inside.Value} and is fused with its activation only, which costs speed and accuracy: give quantization.fuse_modules the three in one list, [\"{inside.Value}\", \"{path}\", ...]; or convert with allow_unfused: true.";
    }

    private static bool Same(QConfig? one, QConfig? other) => one == other || (one is not null && other is not null && one.ToString() == other.ToString());

    private static string SetAfterPrepare(QConfig? found, QConfig? decided) =>
        $"its qconfig was set after prepare: it is now {found?.ToString() ?? "null"}, prepare used {decided?.ToString() ?? "null"}. Set qconfigs before prepare, prepare the float model again and run it on data.";
}
