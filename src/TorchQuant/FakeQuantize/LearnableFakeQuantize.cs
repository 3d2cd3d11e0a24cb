using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Fake quantization whose scale and zero point are parameters that training learns: learned step size quantization (Esser et al. 2020). It begins with the observer's:
/// run some batches, then <see cref="enable_param_learning"/>.
/// </summary>
public sealed class LearnableFakeQuantize : FakeQuantizeBase
{
    private const string LearningSwitch = "learning_enabled";

    [ComponentName(Name = nameof(activation_post_process))]
    private readonly UniformQuantizationObserverBase _observer;

    [ComponentName(Name = nameof(scale))]
    private readonly Parameter _scale;

    [ComponentName(Name = nameof(zero_point))]
    private readonly Parameter _zeroPoint;

    /// <summary>Learns from where an observer begins.</summary>
    /// <param name="observer">Makes the observer, with its type, scheme and range of codes.</param>
    /// <param name="channels">How many channels the tensor has, for an observer per channel; null: one scale.</param>
    /// <param name="use_grad_scaling">Whether the gradients of scale and zero point are divided by sqrt(numel * quant_max), which keeps their size near that of the weights'.</param>
    /// <exception cref="ArgumentException">The observer chooses no codes, or the channels do not fit it.</exception>
    public LearnableFakeQuantize(ObserverFactory observer, int? channels = null, bool use_grad_scaling = false) : this(Uniform(observer, channels), channels ?? 1, use_grad_scaling)
    {
    }

    private LearnableFakeQuantize(UniformQuantizationObserverBase observer, int channels, bool use_grad_scaling) : base(nameof(LearnableFakeQuantize), observer.dtype)
    {
        _observer = observer;
        this.use_grad_scaling = use_grad_scaling;
        _scale = Made(ones(channels, dtype: ScalarType.Float32, device: CPU));
        _zeroPoint = Made(zeros(channels, dtype: ScalarType.Float32, device: CPU));
        register_buffer(LearningSwitch, tensor([(byte)0], device: CPU).DetachFromDisposeScope());
        RegisterComponents();
    }

    /// <summary>The scale, float32 [1] or [channels].</summary>
    public Parameter scale => _scale;

    /// <summary>The zero point, float32 [1] or [channels]; rounded and clamped to the range of codes where it is used.</summary>
    public Parameter zero_point => _zeroPoint;

    /// <summary>Whether the gradients of scale and zero point are divided by sqrt(numel * quant_max).</summary>
    public bool use_grad_scaling { get; }

    /// <summary>Whether scale and zero point are learned.</summary>
    public bool is_learning_enabled => get_buffer(LearningSwitch)!.Span<byte>()[0] != 0;

    /// <summary>The observer inside.</summary>
    public UniformQuantizationObserverBase activation_post_process => _observer;

    /// <inheritdoc/>
    public override int quant_min => _observer.quant_min;

    /// <inheritdoc/>
    public override int quant_max => _observer.quant_max;

    /// <inheritdoc/>
    internal override bool HasQParams => is_learning_enabled || _observer.HasObserved;

    /// <inheritdoc/>
    internal override qscheme? Scheme => _observer.qscheme;

    /// <inheritdoc/>
    internal override QuantizationGrid Grid
    {
        get
        {
            var scales = _scale.Span<float>().ToArray();
            for (var i = 0; i < scales.Length; i++)
                scales[i] = MathF.Max(scales[i], _observer.eps);
            var zeroPoints = Array.ConvertAll(_zeroPoint.Span<float>().ToArray(), z => (int)Math.Clamp(MathF.Round(z, MidpointRounding.ToEven), quant_min, quant_max));
            return new(scales, zeroPoints, _observer.ChannelAxis, quant_min, quant_max);
        }
    }

    /// <summary>A factory of these modules, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="LearnableFakeQuantize(ObserverFactory, int?, bool)"/>
    public static ObserverFactory with_args(ObserverFactory observer, int? channels = null, bool use_grad_scaling = false)
    {
        ArgumentNullException.ThrowIfNull(observer);
        return new(() => new LearnableFakeQuantize(observer, channels, use_grad_scaling));
    }

    /// <summary>Learns scale and zero point by gradients from now on; the observer is off.</summary>
    public void enable_param_learning() => Set(learning: true, fakeQuant: true, observer: false);

    /// <summary>Takes scale and zero point from the observer, and fake-quantizes with them.</summary>
    public void enable_static_estimate() => Set(learning: false, fakeQuant: true, observer: true);

    /// <summary>Takes scale and zero point from the observer, and lets values through unchanged.</summary>
    public void enable_static_observation() => Set(learning: false, fakeQuant: false, observer: true);

    /// <summary>Observes, if that is on, and moves to the grid, if that is on.</summary>
    /// <param name="input">Float32.</param>
    /// <returns>A tensor of the same shape; an alias where nothing is moved.</returns>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values, or has another number of channels.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (is_observer_enabled)
            Observe(input);
        if (!is_fake_quant_enabled || input.numel() == 0)
            return input.alias();
        var grid = Grid;
        if (!is_learning_enabled)
            return StraightThrough.Apply(input, grid);
        KeepInRange(grid);
        var factor = use_grad_scaling ? 1 / Math.Sqrt(input.numel() / (double)_scale.numel() * quant_max) : 1;
        return LearnedStep.Apply(input, _scale, _zeroPoint, grid, factor);
    }

    /// <summary>The scale (float32) and the zero point (int64) in use.</summary>
    public override (Tensor scale, Tensor zero_point) calculate_qparams()
    {
        var grid = Grid;
        return (tensor(grid.Scales), tensor(Array.ConvertAll(grid.ZeroPoints, z => (long)z)));
    }

    /// <summary>As PyTorch prints it.</summary>
    public override string ToString() => $"{GetName()}(fake_quant_enabled={is_fake_quant_enabled}, observer_enabled={is_observer_enabled}, learning_enabled={is_learning_enabled}, {_observer})";

    private void Observe(Tensor input)
    {
        using (var detached = input.detach())
            _observer.forward(detached).Dispose();
        if (!_observer.HasObserved)
            return;
        var (scales, zeroPoints) = _observer.QParams();
        if (scales.Length != _scale.numel())
            throw new ArgumentException($"{GetName()} was made for {_scale.numel()} channels, and the tensor has {scales.Length}: give channels: {scales.Length}.", nameof(input));
        scales.CopyTo(_scale.Span<float>());
        Array.ConvertAll(zeroPoints, z => (float)z).CopyTo(_zeroPoint.Span<float>());
    }

    /// <summary>A step of the optimizer may have made a scale negative.</summary>
    private void KeepInRange(QuantizationGrid grid)
    {
        grid.Scales.CopyTo(_scale.Span<float>());
        foreach (ref var z in _zeroPoint.Span<float>())
            z = Math.Clamp(z, quant_min, quant_max);
    }

    private void Set(bool learning, bool fakeQuant, bool observer)
    {
        get_buffer(LearningSwitch)!.Span<byte>()[0] = learning ? (byte)1 : (byte)0;
        enable_fake_quant(fakeQuant);
        enable_observer(observer);
    }

    private static Parameter Made(Tensor value) => (Parameter)new Parameter(value.DetachFromDisposeScope(), requires_grad: true).DetachFromDisposeScope();

    private static UniformQuantizationObserverBase Uniform(ObserverFactory factory, int? channels)
    {
        ArgumentNullException.ThrowIfNull(factory);
        var observer = factory.Create();
        if (observer is UniformQuantizationObserverBase { qscheme: not qscheme.per_channel_affine_float_qparams } uniform && uniform.ChannelAxis is null == channels is null)
            return uniform;
        using (observer)
            throw new ArgumentException(
                $"{nameof(LearnableFakeQuantize)} needs an observer that chooses codes with whole zero points, and the number of channels exactly where it observes per channel; found {observer} and channels {channels?.ToString() ?? "null"}.",
                nameof(factory));
    }
}
