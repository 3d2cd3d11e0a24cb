using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Observes what flows through it, and moves it to the numbers that codes can stand for: y = (clamp(round_half_even(x / scale) + zero_point, quant_min, quant_max) - zero_point) * scale,
/// with the straight-through gradient: 1 within the range, 0 outside.
/// </summary>
/// <remarks>Scale and zero point are those of the observer inside, in training as at conversion, so the fake-quantized and the converted model work with the same numbers.</remarks>
public class FakeQuantize : FakeQuantizeBase
{
    private const string ScaleName = "scale", ZeroPointName = "zero_point";

    [ComponentName(Name = nameof(activation_post_process))]
    private readonly UniformQuantizationObserverBase _observer;

    /// <summary>Fake-quantizes with the range that an observer finds.</summary>
    /// <param name="observer">Makes the observer, with its type, scheme and range of codes: <c>MovingAverageMinMaxObserver.with_args(quant_min: 0, quant_max: 255)</c>.</param>
    /// <exception cref="ArgumentException">The observer chooses no codes (PlaceholderObserver, RecordingObserver ...), or float zero points.</exception>
    public FakeQuantize(ObserverFactory observer) : this(nameof(FakeQuantize), observer)
    {
    }

    /// <summary>As the public constructor, for a class with another name.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="observer">Makes the observer.</param>
    private protected FakeQuantize(string name, ObserverFactory observer) : this(name, Uniform(name, observer))
    {
    }

    private FakeQuantize(string name, UniformQuantizationObserverBase observer) : base(name, observer.dtype)
    {
        _observer = observer;
        register_buffer(ScaleName, ones(1, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope());
        register_buffer(ZeroPointName, zeros(1, dtype: ScalarType.Int32, device: CPU).DetachFromDisposeScope());
        RegisterComponents();
    }

    /// <summary>The observer inside.</summary>
    public UniformQuantizationObserverBase activation_post_process => _observer;

    /// <summary>The scale in use, float32 [1] or [channels].</summary>
    public Tensor scale
    {
        get => get_buffer(ScaleName)!;
        private set => Keep(ScaleName, value);
    }

    /// <summary>The zero point in use, int32 [1] or [channels].</summary>
    public Tensor zero_point
    {
        get => get_buffer(ZeroPointName)!;
        private set => Keep(ZeroPointName, value);
    }

    /// <inheritdoc/>
    public override int quant_min => _observer.quant_min;

    /// <inheritdoc/>
    public override int quant_max => _observer.quant_max;

    /// <inheritdoc/>
    internal override bool HasQParams => _observer.HasObserved;

    /// <inheritdoc/>
    internal override qscheme? Scheme => _observer.qscheme;

    /// <inheritdoc/>
    internal override QuantizationGrid Grid =>
        new(scale.Span<float>().ToArray(), zero_point.Span<int>().ToArray(), _observer.ChannelAxis, quant_min, quant_max);

    /// <summary>A factory of these modules, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="FakeQuantize(ObserverFactory)"/>
    public static ObserverFactory with_args(ObserverFactory observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        return new(() => new FakeQuantize(observer));
    }

    /// <summary>Observes, if that is on, and moves to the grid, if that is on.</summary>
    /// <param name="input">Float32.</param>
    /// <returns>A tensor of the same shape; an alias where nothing is moved.</returns>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (is_observer_enabled)
            Observe(input);
        return is_fake_quant_enabled && input.numel() > 0 ? StraightThrough.Apply(input, Grid) : input.alias();
    }

    /// <summary>The scale and the zero point that the observer chooses: those in use while the observer is on.</summary>
    /// <exception cref="InvalidOperationException">Nothing was observed.</exception>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() => _observer.calculate_qparams();

    /// <summary>As PyTorch prints it.</summary>
    public override string ToString() => $"{GetName()}(fake_quant_enabled={is_fake_quant_enabled}, observer_enabled={is_observer_enabled}, {_observer})";

    /// <inheritdoc/>
    internal override void Reserve(ReadOnlySpan<long> shape)
    {
        if (_observer.ChannelAxis is not int axis)
            return;
        var channels = shape[axis < 0 ? axis + shape.Length : axis];
        (scale, zero_point) = (ones(channels, dtype: ScalarType.Float32, device: CPU), zeros(channels, dtype: ScalarType.Int32, device: CPU));
        _observer.Reserve(channels);
    }

    private void Observe(Tensor input)
    {
        using (var detached = input.detach())
            _observer.forward(detached).Dispose();
        if (!_observer.HasObserved)
            return;
        var (scales, zeroPoints) = _observer.QParams();
        if (scales.Length != scale.numel())
            (scale, zero_point) = (ones(scales.Length, dtype: ScalarType.Float32, device: CPU), zeros(scales.Length, dtype: ScalarType.Int32, device: CPU));
        scales.CopyTo(scale.Span<float>());
        zeroPoints.CopyTo(zero_point.Span<int>());
    }

    private static UniformQuantizationObserverBase Uniform(string name, ObserverFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        var observer = factory.Create();
        if (observer is UniformQuantizationObserverBase { qscheme: not qscheme.per_channel_affine_float_qparams } uniform)
            return uniform;
        using (observer)
            throw new ArgumentException($"{name} needs an observer that chooses codes with whole zero points, found {observer}: use e.g. MovingAverageMinMaxObserver.with_args(...).", nameof(factory));
    }
}
