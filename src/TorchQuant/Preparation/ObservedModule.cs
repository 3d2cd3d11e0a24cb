using System.Runtime.CompilerServices;
using TorchQuant.Modules;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// A float module of a prepared model, with the observer of its output beside it. It takes the place of the module it holds and shares its parameters, which keep their names:
/// <c>conv.weight</c> stays <c>conv.weight</c> in <c>state_dict</c> and <c>named_parameters</c>, so checkpoints load and optimizers go on.
/// </summary>
public sealed class ObservedModule : nn.Module<Tensor, Tensor>, IObserved
{
    private static readonly ConditionalWeakTable<Tensor, CalibrationRecord> s_layerOutputs = [];

    [ComponentName(Name = nameof(module))]
    private readonly nn.Module<Tensor, Tensor> _module;

    [ComponentName(Name = nameof(activation_post_process))]
    private readonly ObserverBase _observer;

    /// <summary>Takes over the module and the observer: they are disposed with this one.</summary>
    internal ObservedModule(nn.Module<Tensor, Tensor> module, ObserverBase observer, CalibrationRecord record) : base(nameof(ObservedModule))
    {
        (_module, _observer) = (module, observer);
        RegisterComponents();
        ((IObserved)this).Calibration = record;
    }

    /// <summary>The float module.</summary>
    public nn.Module<Tensor, Tensor> module => _module;

    /// <inheritdoc/>
    public ObserverBase? activation_post_process => _observer;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    private (string, nn.Module?) Part => (nameof(activation_post_process), _observer);

    /// <summary>The float module's output, observed; in quantization-aware training moved to the grid of its fake quantizer.</summary>
    /// <param name="input">What the float module takes.</param>
    /// <exception cref="ArgumentException">The output holds NaN or infinite values; the message names the module.</exception>
    public override Tensor forward(Tensor input)
    {
        var output = Int8Twin.Observe(
            this, () => HookRedirect.Of(_module) is null ? _module.call(input) : _module.forward(input), // its hooks hand the call to this module
            static (int8, codes) => ((nn.Module<Tensor, Tensor>)int8).forward(codes[0]), input);
        if (_module is Linear or Convolution)
            Remember(output, ((IObserved)this).Calibration!);
        return output;
    }

    /// <summary>Notes whose output a tensor is.</summary>
    internal static void Remember(Tensor output, CalibrationRecord layer) => s_layerOutputs.AddOrUpdate(output, layer);

    /// <summary>The convolution or Linear whose output a tensor is: the same object, not one with the same values.</summary>
    internal static CalibrationRecord? LayerBefore(Tensor tensor) => s_layerOutputs.TryGetValue(tensor, out var layer) ? layer : null;

    /// <summary>The parameters of the float module, under the names that they have there, and those of an observer that learns.</summary>
    /// <param name="recurse">Whether to look into the float module and the observer: there are none outside them.</param>
    public override IEnumerable<(string name, TorchSharp.Modules.Parameter parameter)> named_parameters(bool recurse = true) => recurse ? StateInPlace.Parameters(_module, Part) : [];

    /// <summary>The buffers of the float module, under the names that they have there, and those of the observer.</summary>
    /// <param name="recurse">Whether to look into both: there are none outside them.</param>
    /// <param name="include_nonpersistent">Whether to include those that are not saved.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) =>
        recurse ? StateInPlace.Buffers(include_nonpersistent, _module, Part) : [];

    /// <summary>Parameters and persistent buffers by name, without the name of the float module between.</summary>
    /// <param name="destination">Where to add them; a new dictionary if null.</param>
    /// <param name="prefix">What comes before the names.</param>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null) => StateInPlace.State(destination, prefix, _module, Part);

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record) =>
        throw new InvalidOperationException($"{record.Path} is observed already.");

    /// <summary>The float module, with the observer, as PyTorch prints it.</summary>
    public override string ToString() => $"{_module}\n  (activation_post_process): {_observer}";
}
