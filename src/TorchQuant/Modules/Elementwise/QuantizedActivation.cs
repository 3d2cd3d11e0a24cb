using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// A statically quantized function of one number: Hardswish, Hardsigmoid, Sigmoid, Tanh, SiLU, ELU, LeakyReLU or GELU. There are but 256 input codes, so the output codes are looked up: exactly
/// dequantize, float function, quantize, whatever the function costs.
/// </summary>
public sealed class QuantizedActivation : StaticQuantizedModule
{
    private readonly ActivationFunction _function;
    private readonly CodeTableCache _tables;

    private QuantizedActivation(ActivationFunction function, QParams output, string path) : base(nameof(QuantizedActivation), path, output)
    {
        _function = function;
        _tables = new CodeTableCache(function.Evaluate);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => _function.Options;

    /// <summary>Converts an observed activation.</summary>
    /// <param name="module">Hardswish, Hardsigmoid, Sigmoid, Tanh, SiLU, ELU, LeakyReLU or GELU; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="ArgumentException">The module is another.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedActivation from_float(nn.Module<Tensor, Tensor> module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        return new(ActivationFunction.Of(module, conversion.Path), conversion.Output, conversion.Path);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedELU(alpha=1, scale=0.05, zero_point=20)</c>.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"Quantized{_function.Name}({(_function.Option is null ? "" : $"{_function.Option}={_function.Value}, ")}scale={scale}, zero_point={zero_point})");

    internal static QuantizedActivation FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(ActivationFunction.Of(options, path), OutputState.Import(state, path), path);

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input) => _tables.Apply(input, QuantizedInput.Read(this, input), Output);
}
