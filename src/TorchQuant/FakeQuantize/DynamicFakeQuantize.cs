using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Fake quantization as dynamic quantization quantizes: weights by the range that they have now, activations by the range of each input. It remembers nothing but its switch.</summary>
public sealed class DynamicFakeQuantize : FakeQuantizeBase
{
    private readonly QConfig _qconfig;

    /// <summary>Moves to the numbers that a dynamically quantized module computes with.</summary>
    /// <param name="qconfig">One of dynamic quantization with int8 weights: <see cref="quantization.get_default_dynamic_qconfig"/>.</param>
    /// <exception cref="ArgumentException">The qconfig is another.</exception>
    public DynamicFakeQuantize(QConfig qconfig) : this(qconfig, ReducesRange(qconfig))
    {
    }

    private DynamicFakeQuantize(QConfig qconfig, bool reduceRange) : base(nameof(DynamicFakeQuantize), qdtype.quint8)
    {
        _qconfig = qconfig;
        reduce_range = reduceRange;
    }

    /// <summary>Whether activations use the codes 0..127 only.</summary>
    public bool reduce_range { get; }

    /// <inheritdoc/>
    public override int quant_min => 0;

    /// <inheritdoc/>
    public override int quant_max => reduce_range ? 127 : 255;

    /// <inheritdoc/>
    internal override bool HasQParams => true;

    /// <inheritdoc/>
    internal override qscheme? Scheme => null;

    /// <inheritdoc/>
    internal override QuantizationGrid Grid => throw new InvalidOperationException($"{this}: each input has a grid of its own.");

    /// <summary>The qconfig of the converted module.</summary>
    internal QConfig QConfig => _qconfig;

    /// <summary>Moves an activation to the grid of its own range, if that is on.</summary>
    /// <param name="input">Float32.</param>
    /// <returns>A tensor of the same shape; an alias where nothing is moved.</returns>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!is_fake_quant_enabled || input.numel() == 0)
            return input.alias();
        using var detached = input.detach();
        using var low = detached.min();
        using var high = detached.max();
        var chosen = QParamsChooser.ForDynamic(low.item<float>(), high.item<float>(), reduceRange: reduce_range);
        return StraightThrough.Apply(input, new QuantizationGrid([chosen.Scale], [chosen.ZeroPoint], null, quant_min, quant_max));
    }

    /// <summary>Always refused: each input has a scale and a zero point of its own.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() => throw new InvalidOperationException($"{this}: each input has a scale and a zero point of its own.");

    /// <summary>The class and its settings.</summary>
    public override string ToString() => $"{GetName()}(fake_quant_enabled={is_fake_quant_enabled}, reduce_range={reduce_range})";

    /// <summary>Moves a weight to the grid that its qconfig's observer finds for it as it is now, if that is on.</summary>
    /// <exception cref="ArgumentException">The weight holds NaN or infinite values.</exception>
    internal Tensor Weight(Tensor weight)
    {
        if (!is_fake_quant_enabled)
            return weight.alias();
        using var observer = (UniformQuantizationObserverBase)_qconfig.weight.Create();
        using (var detached = weight.detach())
            observer.forward(detached).Dispose();
        var (scales, zeroPoints) = observer.QParams();
        return StraightThrough.Apply(weight, new QuantizationGrid(scales, zeroPoints, observer.ChannelAxis, observer.quant_min, observer.quant_max));
    }

    /// <summary>Whether a qconfig is one of dynamic quantization.</summary>
    internal static bool Takes(QConfig qconfig)
    {
        using var activation = qconfig.activation.Create();
        return activation.is_dynamic;
    }

    private static bool ReducesRange(QConfig qconfig)
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        using var activation = qconfig.activation.Create();
        using var weight = qconfig.weight.Create();
        if (activation is PlaceholderObserver { is_dynamic: true } placeholder && weight is UniformQuantizationObserverBase && weight.dtype == qdtype.qint8)
            return placeholder.reduce_range;
        throw new ArgumentException(
            $"{nameof(DynamicFakeQuantize)} takes a qconfig of dynamic quantization with int8 weights, found activations by {activation} and weights by {weight}: use quantization.get_default_dynamic_qconfig().", nameof(qconfig));
    }
}
