using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Dynamically quantized <see cref="Linear"/>: y = x W^T + b with int8 (or float16) weights. Every call finds the range of its whole input, quantizes it to
/// uint8, multiplies in integers and gives float32: y = float(sum (xq - zx)(wq - zw)) * (sx * sw) + b. Nothing is learned through it.
/// </summary>
public sealed class DynamicQuantizedLinear : QuantizedModule
{
    private const string ReduceRangeOption = "reduce_range";

    private PackedLinear _packed;

    private DynamicQuantizedLinear(PackedLinear packed, string path) : base(nameof(DynamicQuantizedLinear), path) => _packed = packed;

    /// <summary>The size of each input vector.</summary>
    public long in_features => _packed.InFeatures;

    /// <summary>The size of each output vector.</summary>
    public long out_features => _packed.OutFeatures;

    /// <inheritdoc/>
    public override long WeightBytes => _packed.WeightBytes;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string> { [ReduceRangeOption] = ReduceRange ? "true" : "false" };

    private bool ReduceRange => _packed is Int8Linear { ReduceRange: true };

    /// <summary>Quantizes a float Linear; it is read, not changed.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">Weights of qint8 (per tensor or per channel) with dynamic quint8 activations, or weights of float16.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">The weights are not finite, not float32 or not on the CPU, or the qconfig is none for dynamic quantization.</exception>
    public static DynamicQuantizedLinear from_float(Linear module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(qconfig);
        ArgumentNullException.ThrowIfNull(path);
        return new(WeightPacking.Pack(module.weight, module.bias, qconfig, PackedState.Join(path, "weight")), path);
    }

    /// <summary>As PyTorch prints it: <c>DynamicQuantizedLinear(in_features=256, out_features=10, dtype=qint8, qscheme=per_tensor_affine)</c>.</summary>
    public override string ToString() => $"{Kind}(in_features={in_features}, out_features={out_features}, {PackedState.Describe(_packed)})";

    internal static DynamicQuantizedLinear FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(PackedState.Import(state, "weight", "bias", StateOptions.Bool(options, ReduceRangeOption, path), path), path);

    /// <summary>y = x W^T + b for float32 [..., in_features] on the CPU; NaN and infinite values are refused.</summary>
    private protected override Tensor Compute(Tensor input)
    {
        var packed = _packed;
        var shape = FloatInput.Shape(this, input, packed.InFeatures);
        shape[^1] = packed.OutFeatures;
        var rows = checked((int)(input.numel() / packed.InFeatures));
        var source = input.Contiguous(out var copy);
        var output = empty(shape, dtype: ScalarType.Float32, device: CPU);
        try
        {
            packed.Multiply(source.Span<float>(), rows, output.Span<float>(), threads: get_num_threads());
        }
        catch (ArgumentException e)
        {
            output.Dispose();
            throw FloatInput.Refused(this, e);
        }
        finally
        {
            copy?.Dispose();
        }
        GC.KeepAlive(input);
        return output;
    }

    /// <inheritdoc/>
    private protected override void Import(IReadOnlyDictionary<string, Tensor> state) => _packed = PackedState.Import(state, "weight", "bias", ReduceRange, Path);

    /// <inheritdoc/>
    private protected override List<KeyValuePair<string, Tensor>> Export()
    {
        var state = new List<KeyValuePair<string, Tensor>>();
        PackedState.Export(state, _packed, "weight", "bias");
        return state;
    }
}
