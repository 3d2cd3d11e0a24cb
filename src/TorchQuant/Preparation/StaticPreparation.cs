using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What <c>prepare</c> does after its arguments are read: decides what is observed, then puts observers into the model. Nothing is changed if something is refused.</summary>
internal sealed class StaticPreparation
{
    /// <summary>Modules whose output range is known, whatever the data: PyTorch's fixed qparams.</summary>
    private static readonly Dictionary<Type, ObserverFactory> FixedRanges = new()
    {
        [typeof(Sigmoid)] = NamedObservers.ZeroToOne,
        [typeof(Hardsigmoid)] = NamedObservers.ZeroToOne,
        [typeof(Softmax)] = NamedObservers.ZeroToOne,
        [typeof(Tanh)] = NamedObservers.MinusOneToOne,
    };

    private readonly nn.Module _model;
    private readonly IReadOnlyDictionary<string, QConfig> _plan;

    /// <summary>Reads the model, which is not changed.</summary>
    /// <param name="model">The float model.</param>
    /// <param name="entries">Types and names with their qconfig, besides the qconfigs set on modules.</param>
    /// <param name="mapping">What convert can replace.</param>
    /// <exception cref="ArgumentException">Nothing is to be quantized, or the model is prepared or converted already; the message says why.</exception>
    public StaticPreparation(nn.Module model, QConfigSpec? entries, StaticModuleMapping mapping)
    {
        _model = model;
        foreach (var (path, module) in ModuleTree.Walk(model))
        {
            if (module is IObserved { Calibration: not null })
                throw new ArgumentException($"{path} is prepared already: prepare a float model once, or convert it.", nameof(model));
            if (module is Quantize or QFunctional or StaticQuantizedModule)
                throw new ArgumentException($"{path} is converted already ({CSharpNames.Of(module.GetType())}): prepare takes the float model.", nameof(model));
        }

        _plan = QConfigPropagation.Plan(model, (entries ?? []).Resolve(() => quantization.get_default_qconfig()), isDefault: entries is null, mapping.Types, "qconfig");
    }

    /// <summary>Observes in the model itself.</summary>
    /// <exception cref="ModuleReplacementException">Fields cannot hold observed modules; all are listed, and the model is unchanged.</exception>
    public void Apply()
    {
        var attached = new List<(IObserved Module, string Path, QConfig QConfig)>();
        ModuleTree.Replace(_model, (path, module) =>
        {
            if (!_plan.TryGetValue(path, out var qconfig))
                return null;
            switch (module)
            {
                case Embedding or EmbeddingBag:
                    return null;
                case IObserved stub:
                    attached.Add((stub, path, qconfig));
                    return null;
                case nn.Module<Tensor, Tensor> leaf:
                    return new ObservedModule(leaf, Observer(module, qconfig), new CalibrationRecord(path, qconfig));
                default:
                    throw new ArgumentException($"{path}: a {CSharpNames.Of(module.GetType())} does not take one tensor and give one, so its output cannot be observed; set its qconfig to null to leave it float.");
            }
        });
        foreach (var (module, path, qconfig) in attached)
            module.Attach(module is DeQuantStub ? null : qconfig.activation.Create(), new CalibrationRecord(path, qconfig));
        foreach (var (path, module) in ModuleTree.Walk(_model))
            if (module is Embedding or EmbeddingBag && _plan.TryGetValue(path, out var qconfig))
                module.qconfig = qconfig;
    }

    private static ObserverBase Observer(nn.Module module, QConfig qconfig) => (FixedRanges.GetValueOrDefault(module.GetType()) ?? qconfig.activation).Create();
}
