using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Fake quantization of outputs whose range is known beforehand (sigmoid, tanh, softmax). It observes nothing.</summary>
public sealed class FixedQParamsFakeQuantize : FakeQuantizeBase
{
    [ComponentName(Name = nameof(activation_post_process))]
    private readonly FixedQParamsObserver _observer;

    private readonly QuantizationGrid _grid;

    /// <summary>Fake-quantizes with these qparams.</summary>
    /// <param name="observer">Makes the observer that holds them: <c>FixedQParamsObserver.with_args(1f / 256, 0)</c>.</param>
    /// <exception cref="ArgumentException">The observer is another.</exception>
    public FixedQParamsFakeQuantize(ObserverFactory observer) : this(Fixed(observer))
    {
    }

    private FixedQParamsFakeQuantize(FixedQParamsObserver observer) : base(nameof(FixedQParamsFakeQuantize), observer.dtype)
    {
        _observer = observer;
        _grid = new([observer.scale], [observer.zero_point], null, observer.quant_min, observer.quant_max);
        RegisterComponents();
    }

    /// <summary>The observer that holds scale and zero point.</summary>
    public FixedQParamsObserver activation_post_process => _observer;

    /// <inheritdoc/>
    public override int quant_min => _observer.quant_min;

    /// <inheritdoc/>
    public override int quant_max => _observer.quant_max;

    /// <inheritdoc/>
    internal override bool HasQParams => true;

    /// <inheritdoc/>
    internal override qscheme? Scheme => null;

    /// <inheritdoc/>
    internal override QuantizationGrid Grid => _grid;

    /// <summary>A factory of these modules, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="FixedQParamsFakeQuantize(ObserverFactory)"/>
    public static ObserverFactory with_args(ObserverFactory observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        return new(() => new FixedQParamsFakeQuantize(observer));
    }

    /// <summary>Moves to the grid, if that is on.</summary>
    /// <param name="input">Float32.</param>
    /// <returns>A tensor of the same shape; an alias where nothing is moved.</returns>
    /// <exception cref="ArgumentException">The input holds NaN.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return is_fake_quant_enabled && input.numel() > 0 ? StraightThrough.Apply(input, _grid) : input.alias();
    }

    /// <summary>The scale and the zero point given.</summary>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() => _observer.calculate_qparams();

    /// <summary>As PyTorch prints it.</summary>
    public override string ToString() => $"{GetName()}(fake_quant_enabled={is_fake_quant_enabled}, {_observer})";

    private static FixedQParamsObserver Fixed(ObserverFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        var observer = factory.Create();
        if (observer is FixedQParamsObserver known)
            return known;
        using (observer)
            throw new ArgumentException($"{nameof(FixedQParamsFakeQuantize)} takes a FixedQParamsObserver, found {observer}; use FakeQuantize for other observers.", nameof(factory));
    }
}
