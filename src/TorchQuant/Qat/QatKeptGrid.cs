using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// A module in quantization-aware training whose int8 form gives codes of its input's scale and zero point (ReLU6, Upsample, AdaptiveMaxPool): its output is moved to the grid of the module before it,
/// if that is the one that made its input.
/// </summary>
public sealed class QatKeptGrid : nn.Module<Tensor, Tensor>, IObserved
{
    private static readonly HashSet<Type> s_types = [typeof(ReLU6), typeof(Upsample), typeof(AdaptiveMaxPool1d), typeof(AdaptiveMaxPool2d)];

    [ComponentName(Name = nameof(module))]
    private readonly nn.Module<Tensor, Tensor> _module;

    /// <summary>Takes over the module: it is disposed with this one.</summary>
    internal QatKeptGrid(nn.Module<Tensor, Tensor> module, CalibrationRecord record) : base(nameof(QatKeptGrid))
    {
        _module = module;
        RegisterComponents();
        ((IObserved)this).Calibration = record;
    }

    /// <summary>The float module.</summary>
    public nn.Module<Tensor, Tensor> module => _module;

    /// <summary>Always null: the grid is that of another module.</summary>
    public ObserverBase? activation_post_process => null;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    /// <summary>The float module's output on the grid of the input.</summary>
    /// <param name="input">What the float module takes.</param>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ((IObserved)this).Calibration!.Called();
        return Int8Twin.OnInputGrid(this, _module.call(input), static (int8, codes) => ((nn.Module<Tensor, Tensor>)int8).forward(codes[0]), input);
    }

    /// <summary>The parameters of the float module, under the names that they have there.</summary>
    /// <param name="recurse">Whether to look into the float module: there are none outside it.</param>
    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => recurse ? StateInPlace.Parameters(_module) : [];

    /// <summary>The buffers of the float module, under the names that they have there.</summary>
    /// <param name="recurse">Whether to look into the float module: there are none outside it.</param>
    /// <param name="include_nonpersistent">Whether to include those that are not saved.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) =>
        recurse ? StateInPlace.Buffers(include_nonpersistent, _module) : [];

    /// <summary>Parameters and persistent buffers by name, without the name of the float module between.</summary>
    /// <param name="destination">Where to add them; a new dictionary if null.</param>
    /// <param name="prefix">What comes before the names.</param>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null) => StateInPlace.State(destination, prefix, _module);

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record) => throw new InvalidOperationException($"{record.Path} is prepared already.");

    /// <summary>The float module.</summary>
    public override string ToString() => $"{GetName()}({_module.GetType().Name})";

    /// <summary>Whether the int8 form of modules of that type keeps scale and zero point of its input.</summary>
    internal static bool Is(Type type) => s_types.Contains(type);
}
