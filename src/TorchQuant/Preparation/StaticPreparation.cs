using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What <c>prepare</c> and <c>prepare_qat</c> do after their arguments are read: decide what is observed, then put observers or fake quantizers into the model. Nothing is changed if something is refused.</summary>
internal sealed class StaticPreparation
{
    private readonly nn.Module _model;
    private readonly StaticModuleMapping _mapping;
    private readonly CustomModuleMapping _custom;
    private readonly QatModuleMapping? _qat;
    private readonly CalibrationRun _run;
    private readonly IReadOnlyDictionary<string, QConfig> _plan;
    private readonly List<Stub> _stubs = [];

    /// <summary>Reads the model, which is not changed.</summary>
    /// <param name="model">The float model.</param>
    /// <param name="entries">Types and names with their qconfig, besides the qconfigs set on modules.</param>
    /// <param name="mapping">What convert can replace.</param>
    /// <param name="custom">What is replaced at prepare already.</param>
    /// <param name="qat">For quantization-aware training: what takes the place of float modules with weights. Null: the model is only calibrated.</param>
    /// <exception cref="ArgumentException">Nothing is to be quantized, the model is prepared or converted already, or it trains; the message says what to do.</exception>
    public StaticPreparation(nn.Module model, QConfigSpec? entries, StaticModuleMapping mapping, CustomModuleMapping custom, QatModuleMapping? qat = null)
    {
        (_model, _mapping, _custom, _qat) = (model, mapping, custom, qat);
        if (qat is null)
            PreparationCheck.RequireFloatInEval(model);
        else
            PreparationCheck.RequireFloatInTraining(model);
        var propagation = new QConfigPropagation(model, (entries ?? []).Resolve(() => qat is null ? quantization.get_default_qconfig() : quantization.get_default_qat_qconfig()), Types, "qconfig");
        if (entries is null)
            PreparationCheck.RequireQConfig(propagation);
        _plan = propagation.Plan(isDefault: entries is null);
        _run = new CalibrationRun(propagation.Decisions, mapping);
    }

    private IReadOnlyCollection<Type> Types => [.. _mapping.Types, .. _custom.FloatTypes, .. _custom.ObservedTypes, .. _qat?.Types ?? []];

    /// <summary>Observes in the model itself.</summary>
    /// <param name="hookFallback">Whether a module in a field that cannot hold its observed form is watched by hooks.</param>
    /// <returns>What was replaced.</returns>
    /// <exception cref="ModuleReplacementException">Modules cannot be observed or replaced; all are listed, and the model is unchanged.</exception>
    public IReadOnlyList<ModuleReplacement> Apply(bool hookFallback)
    {
        var walk = ModuleTree.Walk(_model);
        IReadOnlyList<ModuleReplacement> replaced;
        try
        {
            replaced = Observe(_model, "", _plan, hookFallback);
        }
        catch
        {
            _stubs.ForEach(stub => stub.Observer?.Dispose());
            throw;
        }
        foreach (var (module, observer, record) in _stubs)
            module.Attach(observer, record);
        foreach (var (path, module) in walk)
            if (module is BatchNorm norm && _run.Decisions[path] is not null)
                CalibrationHooks.Attach(norm, path, _run);
            else if (_qat is not null && module is nn.Module<Tensor, Tensor> pool && PoolingHook.Is(pool) && !Types.Contains(pool.GetType()) && _run.Decisions[path] is { } pooled)
                pool.register_forward_hook(new PoolingHook(path, pooled).Round);
        foreach (var (path, module) in ModuleTree.Walk(_model))
            if (_run.Decisions.TryGetValue(path, out var qconfig) && qconfig is not null)
                module.qconfig = qconfig;
        CalibrationHooks.Attach(_model, _run);
        return replaced;
    }

    private IReadOnlyList<ModuleReplacement> Observe(nn.Module root, string prefix, IReadOnlyDictionary<string, QConfig> plan, bool hookFallback) =>
        ModuleTree.Replace(root, (path, module) => plan.TryGetValue(path, out var qconfig) ? Observed(module, PackedState.Join(prefix, path), qconfig) : null, hookFallback);

    private nn.Module? Observed(nn.Module module, string path, QConfig qconfig)
    {
        if (_qat is not null && _qat.TryGetValue(module.GetType(), out var recurrent) && module is (LSTM or GRU) && DynamicFakeQuantize.Takes(qconfig))
            return Trained(recurrent, module, path, qconfig);
        if (_custom.TryGetFloat(module.GetType(), out var row))
            return Custom(row, module, path, qconfig);
        if (_custom.ObservedTypes.Contains(module.GetType()))
            return null; // it is made of parts that can be observed, and the walk goes on into it
        if (_qat is not null && _qat.TryGetValue(module.GetType(), out var make) && module is not (LSTM or GRU) && (module is not (Embedding or EmbeddingBag) || RowFakeQuantize.IsMadeBy(qconfig)))
            return Trained(make, module, path, qconfig);
        switch (module)
        {
            case Embedding or EmbeddingBag:
                ObservableOutputs.RequireFloatQParams(module, path, qconfig, fakeQuant: _qat is not null);
                return null;
            case LSTM or GRU when _qat is not null:
                throw new ArgumentException(
                    $"{path} ({CSharpNames.Of(module.GetType())}): its qconfig is none of dynamic quantization, which recurrent modules are trained for; before prepare_qat set "
                    + $"model.{path}.qconfig = quantization.get_default_dynamic_qconfig(), or null to leave it float.");
            case IObserved stub:
                _stubs.Add(new Stub(stub, stub is DeQuantStub ? null : Observer(module, path, qconfig), new CalibrationRecord(path, qconfig, _run)));
                return null;
            case nn.Module<Tensor, Tensor> leaf when _qat is not null && QatKeptGrid.Is(module.GetType()):
                return new QatKeptGrid(leaf, new CalibrationRecord(path, qconfig, _run));
            case nn.Module<Tensor, Tensor> leaf:
                return new ObservedModule(leaf, Observer(module, path, qconfig), new CalibrationRecord(path, qconfig, _run));
            default:
                throw new ArgumentException($"{path}: a {CSharpNames.Of(module.GetType())} does not take one tensor and give one, so its output cannot be observed; set its qconfig to null to leave it float.");
        }
    }

    private ObserverBase Observer(nn.Module module, string path, QConfig qconfig) => ObservableOutputs.Observer(module, path, qconfig, fakeQuant: _qat is not null);

    private nn.Module Trained(QatModuleFactory make, nn.Module module, string path, QConfig qconfig)
    {
        var observer = module is Embedding or EmbeddingBag or LSTM or GRU ? null : Observer(module, path, qconfig);
        try
        {
            var trained = make(module, qconfig, path) ?? throw new InvalidOperationException($"{path}: the mapping's factory for {module.GetType().Name} gave null.");
            if (trained is not IObserved observed)
                throw new InvalidOperationException($"{path}: the mapping's factory for {module.GetType().Name} gave a {CSharpNames.Of(trained.GetType())}, which is no module of quantization-aware training.");
            observed.Attach(observer, new CalibrationRecord(path, qconfig, _run));
            return trained;
        }
        catch
        {
            observer?.Dispose();
            throw;
        }
    }

    private nn.Module Custom(CustomModuleMapping.Row row, nn.Module module, string path, QConfig qconfig)
    {
        var observer = row.ObserveOutput ? Observer(module, path, qconfig) : null;
        var observed = row.FromFloat(module, qconfig, path);
        Observe(observed, path, new QConfigPropagation(observed, new QConfigSpec { [""] = qconfig }.Resolve(() => qconfig), Types, "qconfig").Planned.Where(p => p.Key.Length > 0).ToDictionary(), hookFallback: false);
        if (observer is not null)
            return new ObservedModule((nn.Module<Tensor, Tensor>)observed, observer, new CalibrationRecord(path, qconfig, _run));
        observed.qconfig = qconfig;
        return observed;
    }

    private sealed record Stub(IObserved Module, ObserverBase? Observer, CalibrationRecord Record);
}
