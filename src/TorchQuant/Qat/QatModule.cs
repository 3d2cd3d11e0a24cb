using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The base of the modules with weights that quantization-aware training trains: a float module that computes with its weight moved to the grid of int8 codes, y = fake_quant(activation(f(x, fake_quant(W)))).
/// It takes the place of the float module and shares its parameters, which keep their names: <c>conv.weight</c> stays <c>conv.weight</c>, so float checkpoints load
/// (<c>load_state_dict(state, strict: false)</c>) and optimizers go on. Beside them are <c>conv.weight_fake_quant...</c> and <c>conv.activation_post_process...</c>.
/// </summary>
public abstract class QatModule : nn.Module<Tensor, Tensor>, IObserved
{
    [ComponentName(Name = nameof(module))]
    private readonly nn.Module<Tensor, Tensor> _module;

    [ComponentName(Name = nameof(weight_fake_quant))]
    private readonly FakeQuantizeBase _weightFakeQuant;

    [ComponentName(Name = nameof(activation_post_process))]
    private ObserverBase? _activationPostProcess;

    /// <summary>Takes over the float module: it is disposed with this one.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="module">The float module.</param>
    /// <param name="weightFakeQuant">The fake quantizer of its weight.</param>
    private protected QatModule(string name, nn.Module<Tensor, Tensor> module, FakeQuantizeBase weightFakeQuant) : base(name)
    {
        (_module, _weightFakeQuant) = (module, weightFakeQuant);
        RegisterComponents();
        train(module.training);
    }

    /// <summary>The float module.</summary>
    public nn.Module<Tensor, Tensor> module => _module;

    /// <summary>The fake quantizer of the weight; its channels are the output channels.</summary>
    public FakeQuantizeBase weight_fake_quant => _weightFakeQuant;

    /// <summary>The fake quantizer of the output; null before <c>prepare_qat</c>.</summary>
    public ObserverBase? activation_post_process => _activationPostProcess;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    private (string, nn.Module?)[] Parts => [(nameof(weight_fake_quant), _weightFakeQuant), (nameof(activation_post_process), _activationPostProcess)];

    /// <summary>The float module's output with a weight on the grid, itself moved to the grid of its fake quantizer.</summary>
    /// <param name="input">What the float module takes, float32 on the CPU.</param>
    /// <returns>A tensor of the shape that the float module gives.</returns>
    /// <exception cref="ArgumentException">The input is of another shape, or weight or output hold NaN or infinite values; the message names the module.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var output = Int8Twin.Observe(this, () => Activated(Compute(input)), static (int8, codes) => ((nn.Module<Tensor, Tensor>)int8).forward(codes[0]), input);
        if (((IObserved)this).Calibration is { } record && FusedActivation is null && this is not QatNormModule)
            ObservedModule.Remember(output, record);
        return output;
    }

    /// <summary>The parameters of the float module, under the names that they have there, and those of fake quantizers that learn.</summary>
    /// <param name="recurse">Whether to look into the modules in it: there are none outside them.</param>
    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => recurse ? StateInPlace.Parameters(_module, Parts) : [];

    /// <summary>The buffers of the float module, under the names that they have there, and those of the fake quantizers.</summary>
    /// <param name="recurse">Whether to look into the modules in it: there are none outside them.</param>
    /// <param name="include_nonpersistent">Whether to include those that are not saved.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) =>
        recurse ? StateInPlace.Buffers(include_nonpersistent, _module, Parts) : [];

    /// <summary>Parameters and persistent buffers by name, without the name of the float module between.</summary>
    /// <param name="destination">Where to add them; a new dictionary if null.</param>
    /// <param name="prefix">What comes before the names.</param>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null) => StateInPlace.State(destination, prefix, _module, Parts);

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record)
    {
        _activationPostProcess = observer;
        ((IObserved)this).Calibration = record;
        if (observer is not null)
            register_module(nameof(activation_post_process), observer);
    }

    /// <summary>The float module and the fake quantizers, as PyTorch prints them.</summary>
    public override string ToString() => $"{GetName()}(\n  {FusedPart.Describe(_module)}\n  (weight_fake_quant): {_weightFakeQuant}\n  (activation_post_process): {_activationPostProcess?.ToString() ?? "None"}\n)";

    /// <summary>The grid that the weight was trained on, which is that of the converted weight.</summary>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="InvalidOperationException">Nothing was observed; the message names the module and the mend.</exception>
    internal QuantizationGrid TrainedGrid(string path) => _weightFakeQuant.HasQParams
        ? _weightFakeQuant.Grid
        : throw new InvalidOperationException(
            $"{path}: the fake quantizer of its weight has observed nothing: train the prepared model with its observers on, with data that reaches the module (forward must use its call), " +
            "or set its qconfig to null before prepare_qat, so that it stays float.");

    /// <summary>A new float module of a type that static quantization converts, where that is not <see cref="module"/>: with the batch norm folded.</summary>
    internal virtual nn.Module<Tensor, Tensor>? Folded() => null;

    /// <summary>The activation that was fused into the module, or null.</summary>
    private protected abstract nn.Module<Tensor, Tensor>? FusedActivation { get; }

    /// <summary>What the fused activation is applied to.</summary>
    private protected abstract Tensor Compute(Tensor input);

    private Tensor Activated(Tensor linear)
    {
        if (FusedActivation is not { } activation)
            return linear;
        using (linear)
            return activation.call(linear);
    }

    /// <summary>The exception for an input of the wrong shape.</summary>
    private protected ArgumentException WrongShape(Tensor input, string expected) =>
        new($"{((IObserved)this).Calibration?.Path ?? GetName()} ({GetName()}): its input has the shape [{string.Join(", ", input.shape)}], expected {expected}.", nameof(input));

    /// <summary>The fake quantizer of a weight.</summary>
    /// <param name="qconfig">Its weight factory makes it.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <param name="shape">The shape of the weight, output channels first.</param>
    /// <exception cref="ArgumentException">The factory makes something else, or its type is not qint8; the message names the module and the mend.</exception>
    private protected static FakeQuantizeBase WeightFakeQuant(QConfig qconfig, string path, ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        ArgumentNullException.ThrowIfNull(path);
        var observer = qconfig.weight.Create();
        var problem = observer is not FakeQuantizeBase fakeQuant ? "is no fake quantizer"
            : fakeQuant.dtype != qdtype.qint8 ? $"has dtype {fakeQuant.dtype}"
            : fakeQuant.Grid.Axis is not (null or 0) ? $"has ch_axis {fakeQuant.Grid.Axis}, and 0 stands for the output channels of any layer"
            : null;
        if (problem is null)
        {
            ((FakeQuantizeBase)observer).Reserve(shape);
            return (FakeQuantizeBase)observer;
        }

        using (observer)
            throw new ArgumentException(
                $"{PackedState.Join(path, "weight")}: the weight of its qconfig, {observer}, {problem}; quantization-aware training takes fake quantizers of qint8: use quantization.get_default_qat_qconfig(), or set the module's qconfig to null to leave it float.");
    }
}
