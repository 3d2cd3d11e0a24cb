using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// A statically quantized <see cref="ReLU6"/>: min(max(x, 0), 6) by clamping codes. As in PyTorch the output has the scale and the zero point of the input, not those observed.
/// </summary>
public sealed class QuantizedReLU6 : KeptQParamsModule
{
    private QuantizedReLU6(string path) : base(nameof(QuantizedReLU6), path)
    {
    }

    /// <summary>Converts a ReLU6.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Holds the path; the observer is not needed.</param>
    public static QuantizedReLU6 from_float(ReLU6 module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        return new(conversion.Path);
    }

    /// <summary>As PyTorch prints it: <c>QuantizedReLU6()</c>.</summary>
    public override string ToString() => $"{Kind}()";

    internal static QuantizedReLU6 FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) => new(path);

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        QuantizedInput.Read(this, input);
        return input.relu6();
    }
}
