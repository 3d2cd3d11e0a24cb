using System.Diagnostics.CodeAnalysis;
using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Modules that are quantized in a way of their own, in two steps: <c>quantization.prepare</c> replaces a float module by one made of parts that can be observed, and
/// <c>quantization.convert</c> replaces that by the int8 module. PyTorch's <c>prepare_custom_config_dict</c> and <c>convert_custom_config_dict</c> in one table.
/// </summary>
/// <remarks>A mapping of your own starts from <see cref="Default"/>: <c>CustomModuleMapping.Default.Add&lt;MyAttention, ObservableAttention&gt;(from_float, from_observed)</c>;
/// give the same one to prepare and to convert.</remarks>
public sealed class CustomModuleMapping
{
    private readonly Dictionary<Type, Row> _byFloat = [];
    private readonly Dictionary<Type, Row> _byObserved = [];

    /// <summary>A new mapping with the modules that need it: one row for each float type.</summary>
    public static CustomModuleMapping Default => new CustomModuleMapping()
        .Add<LSTM, QuantizableLSTM>((module, _, _) => QuantizableLSTM.from_float(module), QuantizedLSTM.from_observed)
        .Add<LSTMCell, QuantizableLSTMCell>((module, _, _) => QuantizableLSTMCell.from_float(module), QuantizedLSTMCell.from_observed)
        .Add<MultiheadAttention, QuantizableMultiheadAttention>((module, _, path) => QuantizableMultiheadAttention.from_float(module, path), QuantizedMultiheadAttention.from_observed);

    /// <summary>The float types that have a row.</summary>
    public IReadOnlyCollection<Type> FloatTypes => _byFloat.Keys;

    /// <summary>The observed types that have a row.</summary>
    public IReadOnlyCollection<Type> ObservedTypes => _byObserved.Keys;

    /// <summary>Adds or replaces the row of a float type.</summary>
    /// <typeparam name="TFloat">The exact type in the float model.</typeparam>
    /// <typeparam name="TObserved">The exact type in the prepared model. A float model may hold it too: prepare then observes what is in it and keeps it.</typeparam>
    /// <param name="from_float">Makes the observed module from the float module, its qconfig and its dotted path. The float module is read and not changed; its parameters may be taken over.
    /// prepare then observes what is in the new module, with the same qconfig, as it does in the rest of the model; it calls nothing on it.</param>
    /// <param name="from_observed">Makes the int8 module from the calibrated one, which is read and not changed and not kept; <see cref="StaticConversion.Convert"/> gives the int8 modules of its
    /// parts. Null: the observed module stays, and its parts become int8 in it.</param>
    /// <param name="observe_output">Whether the output of the whole module is observed too, so that <see cref="StaticConversion.Output"/> has its scale; the observed module must then take
    /// one tensor and give one.</param>
    /// <returns>This mapping.</returns>
    public CustomModuleMapping Add<TFloat, TObserved>(
        Func<TFloat, QConfig, string, TObserved> from_float, Func<TObserved, StaticConversion, nn.Module>? from_observed = null, bool observe_output = false)
        where TFloat : nn.Module where TObserved : nn.Module
    {
        ArgumentNullException.ThrowIfNull(from_float);
        if (observe_output && (from_observed is null || !typeof(TObserved).IsAssignableTo(typeof(nn.Module<Tensor, Tensor>))))
            throw new ArgumentException(
                $"observe_output: true needs a from_observed that uses what is observed, and a module that takes one tensor and gives one; {CSharpNames.Of(typeof(TObserved))} with "
                + $"{(from_observed is null ? "no from_observed" : "a from_observed")} is none.", nameof(observe_output));
        var row = new Row(
            (module, qconfig, path) => from_float((TFloat)module, qconfig, path) ?? throw new InvalidOperationException($"{path}: from_float of the custom mapping gave null for a {typeof(TFloat).Name}."),
            from_observed is null ? null : (observed, conversion) => from_observed((TObserved)observed, conversion)
                ?? throw new InvalidOperationException($"{conversion.Path}: from_observed of the custom mapping gave null for a {typeof(TObserved).Name}."),
            observe_output);
        _byFloat[typeof(TFloat)] = row;
        _byObserved[typeof(TObserved)] = row;
        return this;
    }

    /// <summary>The row for modules of one exact float type.</summary>
    internal bool TryGetFloat(Type type, [MaybeNullWhen(false)] out Row row) => _byFloat.TryGetValue(type, out row);

    /// <summary>The row for modules of one exact observed type.</summary>
    internal bool TryGetObserved(Type type, [MaybeNullWhen(false)] out Row row) => _byObserved.TryGetValue(type, out row);

    /// <summary>How one type is quantized.</summary>
    internal sealed record Row(Func<nn.Module, QConfig, string, nn.Module> FromFloat, Func<nn.Module, StaticConversion, nn.Module>? FromObserved, bool ObserveOutput);
}
