using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The base of the modules that take the place of observers in quantization-aware training: they observe, and put the errors of quantization into what flows through them.</summary>
/// <remarks>Two switches, kept in the state as PyTorch keeps them (uint8 [1]), can be turned for a whole model:
/// <c>model.apply(quantization.disable_observer)</c>, <c>enable_observer</c>, <c>disable_fake_quant</c>, <c>enable_fake_quant</c>.</remarks>
public abstract class FakeQuantizeBase : ObserverBase
{
    private const string FakeQuantSwitch = "fake_quant_enabled", ObserverSwitch = "observer_enabled";

    /// <summary>Both switches are on.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="dtype">The type to quantize to.</param>
    private protected FakeQuantizeBase(string name, qdtype dtype) : base(name, dtype, is_dynamic: false)
    {
        foreach (var buffer in (string[])[FakeQuantSwitch, ObserverSwitch])
            register_buffer(buffer, tensor([(byte)1], device: CPU).DetachFromDisposeScope());
    }

    /// <summary>Whether the errors of quantization are put in.</summary>
    public bool is_fake_quant_enabled => Switch(FakeQuantSwitch)[0] != 0;

    /// <summary>Whether scale and zero point follow what flows through.</summary>
    public bool is_observer_enabled => Switch(ObserverSwitch)[0] != 0;

    /// <summary>The smallest code.</summary>
    public abstract int quant_min { get; }

    /// <summary>The largest code.</summary>
    public abstract int quant_max { get; }

    /// <summary>Puts the errors of quantization in from now on, or no longer.</summary>
    /// <param name="enabled">Whether to.</param>
    public void enable_fake_quant(bool enabled = true) => Switch(FakeQuantSwitch)[0] = enabled ? (byte)1 : (byte)0;

    /// <summary>Lets values through unchanged.</summary>
    public void disable_fake_quant() => enable_fake_quant(false);

    /// <summary>Lets scale and zero point follow what flows through from now on, or no longer.</summary>
    /// <param name="enabled">Whether to.</param>
    public virtual void enable_observer(bool enabled = true) => Switch(ObserverSwitch)[0] = enabled ? (byte)1 : (byte)0;

    /// <summary>Keeps scale and zero point as they are.</summary>
    public void disable_observer() => enable_observer(false);

    /// <summary>Tells how many channels the tensor has, before anything flows through, so that a checkpoint can be loaded. Does nothing for one scale per tensor.</summary>
    /// <param name="shape">The shape of the tensor that will be fake-quantized.</param>
    internal virtual void Reserve(ReadOnlySpan<long> shape)
    {
    }

    /// <summary>Whether scale and zero point are those of something: observed, loaded, learned or given.</summary>
    internal abstract bool HasQParams { get; }

    /// <summary>The scheme of the observer inside; null where scale and zero point are given.</summary>
    internal abstract qscheme? Scheme { get; }

    /// <summary>The grid that values are moved to.</summary>
    internal abstract QuantizationGrid Grid { get; }

    private Span<byte> Switch(string name) => get_buffer(name)!.Span<byte>();
}
