using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What <c>quantize_dynamic</c> does after its arguments are read: plan on the model, replace in the model or its copy, tidy up.</summary>
internal sealed class DynamicQuantization
{
    private static readonly Type[] WeightTypes = [typeof(Linear), typeof(LSTM), typeof(GRU), typeof(LSTMCell), typeof(RNNCell), typeof(GRUCell)];

    private readonly IReadOnlyDictionary<string, QConfig> _plan;
    private readonly ModuleMapping _mapping;

    /// <summary>Reads the arguments and plans; the model is only read.</summary>
    /// <exception cref="ArgumentException">An argument is refused; the message says why.</exception>
    public DynamicQuantization(nn.Module model, QConfigSpec? spec, qdtype dtype, ModuleMapping? mapping, string backend)
    {
        ArgumentNullException.ThrowIfNull(model);
        var int8 = quantization.get_default_dynamic_qconfig(backend);
        _mapping = mapping ?? ModuleMapping.Dynamic;
        _plan = new QConfigPropagation(model, (spec ?? Defaults(dtype)).Resolve(() => OfDtype(dtype, int8)), _mapping.Types, "qconfig_spec").Plan(spec is null);
    }

    /// <summary>Replaces the planned modules in the model itself and sets eval mode.</summary>
    /// <exception cref="ModuleReplacementException">All refusals; the model is unchanged.</exception>
    public IReadOnlyList<ModuleReplacement> Apply(nn.Module model, bool hookFallback)
    {
        using var noGrad = no_grad();
        var replaced = ModuleTree.Replace(model, Replacement, hookFallback);
        model.eval();
        return replaced;
    }

    /// <summary>Replaces the planned modules in a copy that belongs to us, and disposes the float modules that were replaced there; the copy too if it is refused.</summary>
    /// <exception cref="ModuleReplacementException">All refusals.</exception>
    public T ApplyToOwn<T>(T copy, nn.Module original, bool hookFallback) where T : nn.Module
    {
        IReadOnlyList<ModuleReplacement> replaced;
        try
        {
            replaced = Apply(copy, hookFallback);
        }
        catch
        {
            copy.Dispose();
            throw;
        }
        ReplacedModules.Dispose(replaced, copy, original);
        return copy;
    }

    private nn.Module? Replacement(string path, nn.Module module) =>
        _plan.TryGetValue(path, out var qconfig) && _mapping.TryGetValue(module.GetType(), out var make)
            ? make(module, qconfig, path) ?? throw new InvalidOperationException($"{path}: the mapping's factory for {module.GetType().Name} gave null.")
            : null;

    private static QConfigSpec Defaults(qdtype dtype) =>
        dtype == qdtype.quint8 ? [typeof(EmbeddingBag), typeof(Embedding)] : dtype == qdtype.quint4x2 ? [typeof(EmbeddingBag)] : WeightTypes;

    private static QConfig OfDtype(qdtype dtype, QConfig int8) =>
        dtype == qdtype.qint8 ? int8
        : dtype == qdtype.float16 ? quantization.float16_dynamic_qconfig
        : dtype == qdtype.quint8 ? quantization.float_qparams_weight_only_qconfig
        : dtype == qdtype.quint4x2 ? quantization.float_qparams_weight_only_qconfig_4bit
        : throw new ArgumentException(
            $"dtype {dtype} is none of dynamic quantization, which knows qint8 and float16 (Linear and recurrent modules), quint8 (Embedding, EmbeddingBag) and quint4x2 (EmbeddingBag).",
            nameof(dtype));
}
