using TorchQuant.Modules.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The table of quantized modules by their <see cref="IQuantizedModule.Kind"/>: rebuilds a module from what a file holds.</summary>
public static class QuantizedModules
{
    private delegate nn.Module FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path);

    // One row per module file. The tensors are borrowed: a module copies what it keeps.
    private static readonly Dictionary<string, FromState> Rows = new(StringComparer.Ordinal)
    {
        [nameof(DynamicQuantizedLinear)] = DynamicQuantizedLinear.FromState,
        [nameof(QuantizedEmbedding)] = QuantizedEmbedding.FromState,
        [nameof(QuantizedEmbeddingBag)] = QuantizedEmbeddingBag.FromState,
        [nameof(DynamicQuantizedLSTM)] = DynamicQuantizedLSTM.FromState,
        [nameof(DynamicQuantizedGRU)] = DynamicQuantizedGRU.FromState,
        [nameof(DynamicQuantizedLSTMCell)] = DynamicQuantizedLSTMCell.FromState,
        [nameof(DynamicQuantizedGRUCell)] = DynamicQuantizedGRUCell.FromState,
        [nameof(DynamicQuantizedRNNCell)] = DynamicQuantizedRNNCell.FromState,
        [nameof(Quantize)] = Quantize.FromState,
        [nameof(DeQuantize)] = DeQuantize.FromState,
        [nameof(QFunctional)] = QFunctional.FromState,
        [nameof(QuantizedLinear)] = QuantizedLinear.FromState,
        [nameof(QuantizedLSTM)] = QuantizedLSTM.FromState,
        [nameof(QuantizedLSTMCell)] = QuantizedLSTMCell.FromState,
        [nameof(QuantizedMultiheadAttention)] = QuantizedMultiheadAttention.FromState,
        [nameof(QuantizedActivation)] = QuantizedActivation.FromState,
        [nameof(QuantizedReLU6)] = QuantizedReLU6.FromState,
        [nameof(QuantizedPReLU)] = QuantizedPReLU.FromState,
        [nameof(QuantizedSoftmax)] = QuantizedSoftmax.FromState,
        [nameof(QuantizedUpsample)] = QuantizedUpsample.FromState,
        [nameof(QuantizedAdaptiveMaxPool)] = QuantizedAdaptiveMaxPool.FromState,
        [nameof(QuantizedMaxPool)] = QuantizedMaxPool.FromState,
        [nameof(QuantizedAvgPool)] = QuantizedAvgPool.FromState,
        [nameof(QuantizedAdaptiveAvgPool)] = QuantizedAdaptiveAvgPool.FromState,
        [nameof(QuantizedBatchNorm)] = QuantizedBatchNorm.FromState,
        [nameof(QuantizedLayerNorm)] = QuantizedLayerNorm.FromState,
        [nameof(QuantizedGroupNorm)] = QuantizedGroupNorm.FromState,
        [nameof(QuantizedInstanceNorm)] = QuantizedInstanceNorm.FromState,
        [QuantizedConvolution.KindOf(1)] = (options, state, path) => QuantizedConvolution.FromState(1, options, state, path),
        [QuantizedConvolution.KindOf(2)] = (options, state, path) => QuantizedConvolution.FromState(2, options, state, path),
        [QuantizedConvolution.KindOf(3)] = (options, state, path) => QuantizedConvolution.FromState(3, options, state, path),
        [QuantizedConvTranspose.KindOf(1)] = (options, state, path) => QuantizedConvTranspose.FromState(1, options, state, path),
        [QuantizedConvTranspose.KindOf(2)] = (options, state, path) => QuantizedConvTranspose.FromState(2, options, state, path),
        [QuantizedConvTranspose.KindOf(3)] = (options, state, path) => QuantizedConvTranspose.FromState(3, options, state, path),
    };

    // Kinds whose state has other names than the parameters of the float module: those parameters, with their shapes, from the options of the kind.
    private static readonly Dictionary<string, Func<IReadOnlyDictionary<string, string>, string, IReadOnlyDictionary<string, long[]>>> Parameters = new(StringComparer.Ordinal)
    {
        [nameof(QuantizedLSTM)] = (options, path) => RecurrentSettings.ReadLayers(gates: 4, options, path).ParameterShapes(),
        [nameof(QuantizedLSTMCell)] = (options, path) => RecurrentSettings.ReadCell(gates: 4, options, path).ParameterShapes(),
        [nameof(QuantizedMultiheadAttention)] = (options, path) => AttentionOptions.ParameterShapes(AttentionOptions.Read(options, path)),
    };

    /// <summary>The kinds that <see cref="Create"/> knows, in alphabetical order.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. Rows.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The parameters that the float module of a kind has, with their shapes; null where they have the names of the kind's state.</summary>
    /// <exception cref="ArgumentException">An option is missing or has no meaning.</exception>
    internal static IReadOnlyDictionary<string, long[]>? FloatParameters(string kind, IReadOnlyDictionary<string, string> options, string path) => Parameters.GetValueOrDefault(kind)?.Invoke(options, path);

    /// <summary>Rebuilds a quantized module from its options and its plain tensors, the inverse of <see cref="IQuantizedModule.ExportState"/>.</summary>
    /// <param name="kind">The <see cref="IQuantizedModule.Kind"/> of the module.</param>
    /// <param name="options">The <see cref="IQuantizedModule.Options"/> of the module.</param>
    /// <param name="state">The tensors of <see cref="IQuantizedModule.ExportState"/>; borrowed, not kept.</param>
    /// <param name="path">The dotted path of the module in its model, for messages.</param>
    /// <returns>A new module that computes the same bits as the one that was exported.</returns>
    /// <exception cref="ArgumentException">The kind is unknown, an option or a tensor is missing, foreign, or of another type or shape than the kind needs.</exception>
    public static nn.Module Create(string kind, IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(path);
        return Rows.TryGetValue(kind, out var fromState)
            ? fromState(options, state, path)
            : throw new ArgumentException(
                $"{path}: '{kind}' is no quantized module of this version, which knows {string.Join(", ", Kinds)}. " +
                "The file may come from a newer version.", nameof(kind));
    }
}
