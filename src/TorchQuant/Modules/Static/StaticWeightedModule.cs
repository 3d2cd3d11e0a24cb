using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The base of the statically quantized modules with weights: int8 weights in the packed form of a kernel, a float bias, and an activation that the kernel applies to its results.</summary>
/// <typeparam name="TPacked">The packed form.</typeparam>
public abstract class StaticWeightedModule<TPacked> : StaticQuantizedModule where TPacked : class
{
    private const string ActivationOption = "activation";

    private volatile PackedLayer _layer;

    /// <summary>Keeps the packed weights.</summary>
    /// <param name="kind">The stable name that files use.</param>
    /// <param name="path">The module's dotted path.</param>
    /// <param name="weight">What was packed.</param>
    /// <param name="packed">The same, packed.</param>
    /// <param name="activation">The activation that was fused into the module.</param>
    /// <param name="output">Scale and zero point of the output.</param>
    private protected StaticWeightedModule(string kind, string path, QuantizedWeight weight, TPacked packed, FusedActivation activation, QParams output) : base(kind, path, output)
    {
        Activation = activation;
        _layer = new PackedLayer(packed, weight.Bias, weight.Bytes);
    }

    /// <inheritdoc/>
    public override long WeightBytes => base.WeightBytes + _layer.Bytes;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string> { [ActivationOption] = ActivationName.Of(Activation) };

    /// <summary>What the kernel applies to its results.</summary>
    private protected FusedActivation Activation { get; }

    /// <summary>What the kernel computes with: read once for each call.</summary>
    private protected PackedLayer Layer => _layer;

    /// <summary>The fused activation that the options of a file name.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    private protected static FusedActivation ActivationOf(IReadOnlyDictionary<string, string> options, string path) => ActivationName.Parse(options, ActivationOption, path);

    /// <summary>Packs changed weights of the same shape.</summary>
    /// <exception cref="ArgumentException">The weights cannot be packed; the message names the module.</exception>
    private protected abstract TPacked Pack(QuantizedWeight weight);

    /// <summary>The inverse of <see cref="Pack"/>.</summary>
    private protected abstract QuantizedWeight Unpack(PackedLayer layer);

    /// <summary>Reads weights from a state.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    private protected abstract QuantizedWeight ImportWeight(IReadOnlyDictionary<string, Tensor> state);

    /// <inheritdoc/>
    private protected sealed override List<KeyValuePair<string, Tensor>> Export()
    {
        var state = base.Export();
        Unpack(_layer).Export(state);
        return state;
    }

    /// <inheritdoc/>
    private protected sealed override void Import(IReadOnlyDictionary<string, Tensor> state)
    {
        var weight = ImportWeight(state);
        var layer = new PackedLayer(Pack(weight), weight.Bias, weight.Bytes);
        base.Import(state);
        _layer = layer;
    }

    /// <summary>Weights and bias, replaced as one when a changed state is taken over.</summary>
    /// <param name="Weights">The packed weights.</param>
    /// <param name="Bias">One number for each output, or null.</param>
    /// <param name="Bytes">What the state of both takes.</param>
    private protected sealed record PackedLayer(TPacked Weights, float[]? Bias, long Bytes);
}
