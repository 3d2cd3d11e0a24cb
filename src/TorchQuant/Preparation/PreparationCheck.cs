using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Refuses models that <c>prepare</c> does not take, with what to do instead. Models are only read.</summary>
internal static class PreparationCheck
{
    /// <summary>Refuses a model that is prepared or converted, or whose batch norms or dropouts are in training mode.</summary>
    /// <exception cref="ArgumentException">It is.</exception>
    public static void RequireFloatInEval(nn.Module model)
    {
        var walk = ModuleTree.Walk(model);
        RequireFloat(model, walk);
        var training = walk.Where(m => m.Module.training && Trains(m.Module)).Select(m => $"{m.Path} ({CSharpNames.Of(m.Module.GetType())})").ToList();
        if (training.Count > 0)
            throw new ArgumentException(
                $"{string.Join(", ", training)}: in training mode, where calibration would change the statistics of batch norms and observe dropped values; "
                + "call model.eval() before prepare. The model is unchanged.", nameof(model));
    }

    /// <summary>Refuses a model that is prepared or converted, or in eval mode.</summary>
    /// <exception cref="ArgumentException">It is.</exception>
    public static void RequireFloatInTraining(nn.Module model)
    {
        RequireFloat(model, ModuleTree.Walk(model));
        if (!model.training)
            throw new ArgumentException("prepare_qat only works on models in training mode: call model.train() first, or prepare for a model that is only calibrated. The model is unchanged.", nameof(model));
    }

    /// <summary>Refuses a model in which no module has a qconfig.</summary>
    /// <exception cref="ArgumentException">None has.</exception>
    public static void RequireQConfig(QConfigPropagation propagation)
    {
        if (propagation.Decisions.Values.All(qconfig => qconfig is null))
            throw new ArgumentException(
                "No module of the model has a qconfig, so there is nothing to prepare: set model.qconfig = quantization.get_default_qconfig(), or give prepare a qconfig. The model is unchanged.");
    }

    private static void RequireFloat(nn.Module model, IReadOnlyList<(string Path, nn.Module Module)> walk)
    {
        foreach (var (path, module) in walk)
        {
            if (module is IObserved { Calibration: not null })
                throw new ArgumentException($"{path} is prepared already: prepare a float model once, run it on data, then call quantization.convert.", nameof(model));
            if (module is Quantize or DeQuantize or QFunctional or StaticQuantizedModule)
                throw new ArgumentException($"{path} is converted already ({CSharpNames.Of(module.GetType())}): prepare takes the float model.", nameof(model));
        }
    }

    private static bool Trains(nn.Module module) => module is BatchNorm or Dropout or Dropout1d or Dropout2d or Dropout3d or AlphaDropout or FeatureAlphaDropout;
}
