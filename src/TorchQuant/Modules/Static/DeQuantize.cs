using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>What a <see cref="DeQuantStub"/> becomes: quint8 to float32, x = (code - zero_point) * scale.</summary>
public sealed class DeQuantize : DeQuantStub, IQuantizedModule
{
    internal DeQuantize(string path) : base(nameof(DeQuantize)) => Path = path;

    /// <inheritdoc/>
    public string Kind => nameof(DeQuantize);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => 0;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>();

    /// <summary>The module for a stub.</summary>
    /// <param name="conversion">Holds the path.</param>
    public static DeQuantize from_float(StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return new(conversion.Path);
    }

    /// <summary>Dequantizes.</summary>
    /// <param name="input">A quantized tensor of any type and shape.</param>
    /// <returns>Float32 of the same shape, with the channels last in memory where the codes have them so.</returns>
    /// <exception cref="ArgumentException">The input is not quantized; the message names the module and the mend.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.is_quantized()
            ? RealValues.Of(input)
            : throw new ArgumentException($"{Float32OnCpu.Name(this)} takes a quantized tensor, found {input.dtype}: the value is float already, so this DeQuantStub is one too many, or a QuantStub before it is missing.", nameof(input));
    }

    /// <summary>Nothing: there is no state.</summary>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState() => [];

    internal static DeQuantize FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) => new(path);

    /// <inheritdoc/>
    protected override nn.Module _to(ScalarType dtype, bool non_blocking) => Float32OnCpu.Accept(this, dtype);

    /// <inheritdoc/>
    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => Float32OnCpu.Accept(this, deviceType);

    /// <inheritdoc/>
    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => Float32OnCpu.Accept(this, dtype, device.type);
}
