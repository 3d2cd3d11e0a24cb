using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The observers of outputs: which one a module gets, and which a static int8 module can use.</summary>
internal static class ObservableOutputs
{
    /// <summary>Modules whose output range is known, whatever the data: PyTorch's fixed qparams.</summary>
    private static readonly Dictionary<Type, ObserverFactory> FixedRanges = new()
    {
        [typeof(Sigmoid)] = NamedObservers.ZeroToOne,
        [typeof(Hardsigmoid)] = NamedObservers.ZeroToOne,
        [typeof(Softmax)] = NamedObservers.ZeroToOne,
        [typeof(Tanh)] = NamedObservers.MinusOneToOne,
    };

    /// <summary>The observer of a module's output.</summary>
    /// <param name="module">The module.</param>
    /// <param name="path">Its dotted path, for messages.</param>
    /// <param name="qconfig">Makes the observer, unless the module's range is known.</param>
    /// <param name="fakeQuant">Whether it is to put the errors of quantization into the output, for training.</param>
    /// <exception cref="ArgumentException">The qconfig's is none for activations of static int8 modules; the message names the module.</exception>
    public static ObserverBase Observer(nn.Module module, string path, QConfig qconfig, bool fakeQuant)
    {
        var known = FixedRanges.GetValueOrDefault(module.GetType());
        var observer = (known is null ? qconfig.activation : fakeQuant ? FixedQParamsFakeQuantize.with_args(known) : known).Create();
        var problem = observer.is_dynamic ? "is one of dynamic quantization"
            : fakeQuant && observer is not FakeQuantizeBase ? "is no fake quantizer"
            : observer.dtype != qdtype.quint8 ? $"has dtype {observer.dtype}"
            : SchemeOf(observer) is not (null or qscheme.per_tensor_affine or qscheme.per_tensor_symmetric) and var scheme ? $"has {scheme}, and an activation has one scale"
            : null;
        if (problem is null)
            return observer;
        var (defaults, kind) = fakeQuant ? (nameof(quantization.get_default_qat_qconfig), "a fake quantizer") : (nameof(quantization.get_default_qconfig), "an observer");
        var text = $"{path}: the activation observer of its qconfig, {observer}, {problem}; static int8 modules take and give quint8 with one scale: use quantization.{defaults}(), "
            + $"{kind} with dtype: qdtype.quint8 and a scheme per tensor, or set the module's qconfig to null to leave it float.";
        observer.Dispose();
        throw new ArgumentException(text);
    }

    /// <summary>Refuses an embedding whose qconfig is none for tables.</summary>
    /// <exception cref="ArgumentException">The weight observer has no float qparams; the message names the module and the mend.</exception>
    public static void RequireFloatQParams(nn.Module embedding, string path, QConfig qconfig, bool fakeQuant)
    {
        using var observer = qconfig.weight.Create();
        if (observer is UniformQuantizationObserverBase { qscheme: qscheme.per_channel_affine_float_qparams })
            return;
        var property = path.Length == 0 ? "model" : path;
        throw new ArgumentException(
            $"{path} ({CSharpNames.Of(embedding.GetType())}): its qconfig has the weight observer {observer}, and a table of embeddings needs a scale and a float zero point for each row; before {(fakeQuant ? "prepare_qat" : "prepare")} set "
            + $"model.{property}.qconfig = quantization.{(fakeQuant ? nameof(quantization.default_embedding_qat_qconfig) : nameof(quantization.float_qparams_weight_only_qconfig))}, or null to leave it float.");
    }

    private static qscheme? SchemeOf(ObserverBase observer) => observer switch
    {
        UniformQuantizationObserverBase uniform => uniform.qscheme,
        FakeQuantizeBase fakeQuant => fakeQuant.Scheme,
        _ => null,
    };
}
