using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Makes the quantized module that takes the place of a float module.</summary>
/// <param name="module">The float module; it is read, not changed and not kept.</param>
/// <param name="qconfig">How to quantize it.</param>
/// <param name="path">Its dotted path in the model, for messages.</param>
public delegate nn.Module QuantizedModuleFactory(nn.Module module, QConfig qconfig, string path);

/// <summary>Which float module is replaced by what: exact type to factory. The argument <c>mapping</c> of <c>quantize_dynamic</c>.</summary>
/// <remarks>A mapping of your own starts from <see cref="Dynamic"/> or empty:
/// <c>new ModuleMapping(ModuleMapping.Dynamic) { [typeof(MyLinear)] = (module, qconfig, path) => ... }</c>.</remarks>
public sealed class ModuleMapping : ModuleTable<QuantizedModuleFactory>
{
    /// <summary>An empty mapping.</summary>
    public ModuleMapping() : base(null)
    {
    }

    /// <summary>A copy of a mapping, to be added to.</summary>
    /// <param name="other">The mapping to copy.</param>
    public ModuleMapping(ModuleMapping other) : base(other ?? throw new ArgumentNullException(nameof(other)))
    {
    }

    /// <summary>A new mapping with the modules that dynamic quantization knows: one row for each quantized module.</summary>
    public static ModuleMapping Dynamic => new()
    {
        [typeof(Linear)] = (module, qconfig, path) => DynamicQuantizedLinear.from_float((Linear)module, qconfig, path),
        [typeof(Embedding)] = (module, qconfig, path) => QuantizedEmbedding.from_float((Embedding)module, qconfig, path),
        [typeof(EmbeddingBag)] = (module, qconfig, path) => QuantizedEmbeddingBag.from_float((EmbeddingBag)module, qconfig, path),
        [typeof(LSTM)] = (module, qconfig, path) => DynamicQuantizedLSTM.from_float((LSTM)module, qconfig, path),
        [typeof(GRU)] = (module, qconfig, path) => DynamicQuantizedGRU.from_float((GRU)module, qconfig, path),
        [typeof(LSTMCell)] = (module, qconfig, path) => DynamicQuantizedLSTMCell.from_float((LSTMCell)module, qconfig, path),
        [typeof(GRUCell)] = (module, qconfig, path) => DynamicQuantizedGRUCell.from_float((GRUCell)module, qconfig, path),
        [typeof(RNNCell)] = (module, qconfig, path) => DynamicQuantizedRNNCell.from_float((RNNCell)module, qconfig, path),
    };
}
