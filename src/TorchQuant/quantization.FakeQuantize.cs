using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Turns fake quantization on: <c>model.apply(quantization.enable_fake_quant)</c>. Other modules are left alone.</summary>
    /// <param name="mod">Any module.</param>
    public static void enable_fake_quant(nn.Module mod) => (mod as FakeQuantizeBase)?.enable_fake_quant();

    /// <summary>Turns fake quantization off: <c>model.apply(quantization.disable_fake_quant)</c>. Other modules are left alone.</summary>
    /// <param name="mod">Any module.</param>
    public static void disable_fake_quant(nn.Module mod) => (mod as FakeQuantizeBase)?.disable_fake_quant();

    /// <summary>Lets scales and zero points follow what flows through: <c>model.apply(quantization.enable_observer)</c>. Other modules are left alone.</summary>
    /// <param name="mod">Any module.</param>
    public static void enable_observer(nn.Module mod) => (mod as FakeQuantizeBase)?.enable_observer();

    /// <summary>Keeps scales and zero points as they are: <c>model.apply(quantization.disable_observer)</c>. Other modules are left alone.</summary>
    /// <param name="mod">Any module.</param>
    public static void disable_observer(nn.Module mod) => (mod as FakeQuantizeBase)?.disable_observer();
}
