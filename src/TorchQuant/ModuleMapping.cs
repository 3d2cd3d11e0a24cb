using System.Collections;
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
public sealed class ModuleMapping : IEnumerable<KeyValuePair<Type, QuantizedModuleFactory>>
{
    private readonly Dictionary<Type, QuantizedModuleFactory> _rows = [];

    /// <summary>An empty mapping.</summary>
    public ModuleMapping()
    {
    }

    /// <summary>A copy of a mapping, to be added to.</summary>
    /// <param name="other">The mapping to copy.</param>
    public ModuleMapping(ModuleMapping other)
    {
        ArgumentNullException.ThrowIfNull(other);
        _rows = new(other._rows);
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

    /// <summary>The types that have a row.</summary>
    public IReadOnlyCollection<Type> Types => _rows.Keys;

    /// <summary>The factory for the modules of one exact type; setting it adds or replaces the row.</summary>
    /// <param name="type">A type that derives from <c>nn.Module</c>.</param>
    /// <exception cref="ArgumentException">Set: the type is no module type.</exception>
    /// <exception cref="KeyNotFoundException">Get: no row for the type.</exception>
    public QuantizedModuleFactory this[Type type]
    {
        get => _rows[type];
        set
        {
            ArgumentNullException.ThrowIfNull(type);
            ArgumentNullException.ThrowIfNull(value);
            if (!type.IsAssignableTo(typeof(nn.Module)))
                throw new ArgumentException($"{type} is not a type of module: a mapping goes from module types to factories.", nameof(type));
            _rows[type] = value;
        }
    }

    /// <summary>The factory for the modules of one exact type, if there is a row.</summary>
    /// <param name="type">The exact type of a module.</param>
    /// <param name="factory">The factory.</param>
    /// <returns>Whether there is a row.</returns>
    public bool TryGetValue(Type type, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out QuantizedModuleFactory factory) =>
        _rows.TryGetValue(type, out factory);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<Type, QuantizedModuleFactory>> GetEnumerator() => _rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
