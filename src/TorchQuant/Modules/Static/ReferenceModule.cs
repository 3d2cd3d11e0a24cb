using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// What a module with an output scale becomes with <c>convert(..., is_reference: true)</c>: y = quantize(f(dequantize(x))), where f is the float module with its int8 weights dequantized. It takes and gives what the
/// int8 module does, so both can be compared: they differ by at most one code, where float32 sums round to the other side.
/// </summary>
public sealed class ReferenceModule : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(module))]
    private readonly nn.Module<Tensor, Tensor> _module;

    private readonly string _path;

    private ReferenceModule(nn.Module<Tensor, Tensor> module, float scale, int zero_point, string path) : base(nameof(ReferenceModule))
    {
        (_module, this.scale, this.zero_point, _path) = (module, scale, zero_point, path);
        RegisterComponents();
    }

    /// <summary>The float module, with the values of the int8 weights.</summary>
    public nn.Module<Tensor, Tensor> module => _module;

    /// <summary>The scale of the output.</summary>
    public float scale { get; }

    /// <summary>The zero point of the output, 0..255.</summary>
    public int zero_point { get; }

    /// <summary>Dequantizes, computes in float, quantizes.</summary>
    /// <param name="input">quint8.</param>
    /// <returns>quint8.</returns>
    /// <exception cref="ArgumentException">The input is not quint8; the message names the module and the mend.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dtype != ScalarType.QUInt8)
            throw QuantizedInput.Refused($"{_path} ({nameof(ReferenceModule)})", input.dtype, nameof(input));
        using var noGrad = no_grad();
        using var values = RealValues.Of(input);
        using var result = _module.call(values);
        return quantize_per_tensor(result, scale, zero_point, ScalarType.QUInt8);
    }

    /// <summary>The float module and the output's qparams.</summary>
    public override string ToString() => FormattableString.Invariant($"{nameof(ReferenceModule)}({_module}, scale={scale}, zero_point={zero_point})");

    /// <summary>The reference for an int8 module.</summary>
    /// <param name="module">The float module; it is copied.</param>
    /// <param name="conversion">Its qconfig and path.</param>
    /// <param name="int8">The int8 module, which has the output's qparams.</param>
    internal static ReferenceModule Of(nn.Module<Tensor, Tensor> module, StaticConversion conversion, StaticQuantizedModule int8)
    {
        var copy = ModuleTree.Copy(module);
        HookRedirect.Remove(copy);
        foreach (var (_, part) in ModuleTree.Walk(copy))
        {
            if (part is Linear linear)
                linear.weight = Weight(linear.weight, linear.bias, conversion, 0);
            else if (part is Convolution conv)
                conv.weight = Weight(conv.weight, conv.bias, conversion, conv.transposed ? checked((int)conv.groups) : 0);
        }
        return new ReferenceModule(copy, int8.scale, int8.zero_point, conversion.Path);
    }

    /// <summary>scale (code - zero_point) of the quantized weight, in the shape of the float weight.</summary>
    private static Parameter Weight(Parameter weight, Tensor? bias, StaticConversion conversion, int transposedGroups)
    {
        using var scope = NewDisposeScope();
        var quantized = QuantizedWeight.Of(weight, bias, conversion, transposedGroups);
        long[] kernel = [.. weight.shape.Skip(2).Select(_ => 1L)];
        // The output channels are the first axis, or, transposed, the second within each group of input channels.
        long[] grouped = transposedGroups == 0 ? weight.shape : [transposedGroups, weight.shape[0] / transposedGroups, .. weight.shape[1..]];
        long[] perChannel = transposedGroups == 0 ? [-1, 1, .. kernel] : [transposedGroups, 1, -1, .. kernel];
        var codes = tensor(quantized.Codes, grouped, ScalarType.Int8, CPU).to(ScalarType.Float32);
        if (quantized.ZeroPoints.Length > 0)
            codes -= PerChannel(tensor(quantized.ZeroPoints, device: CPU).to(ScalarType.Float32));
        var values = codes * PerChannel(tensor(quantized.Scales, device: CPU));
        return (Parameter)new Parameter(values.reshape(weight.shape).DetachFromDisposeScope(), requires_grad: false).DetachFromDisposeScope();

        Tensor PerChannel(Tensor channels) => channels.numel() == 1 ? channels : channels.reshape(perChannel);
    }
}
