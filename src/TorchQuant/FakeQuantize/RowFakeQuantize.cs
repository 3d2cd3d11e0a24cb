using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Fake quantization of tables of embeddings: each row is moved to the codes 0..255 (or 0..15) between its own smallest and largest value, with a float zero point, as
/// <see cref="QuantizedEmbedding"/> keeps it. No value of a row lies outside its range, so the gradient passes everywhere. It remembers nothing: a row's range is that of its values.
/// </summary>
public sealed class RowFakeQuantize : FakeQuantizeBase
{
    /// <summary>Moves rows to 8 or 4 bits.</summary>
    /// <param name="dtype">quint8 or quint4x2; quint8 if not given.</param>
    /// <exception cref="ArgumentException">The type is another.</exception>
    public RowFakeQuantize(qdtype? dtype = null) : base(nameof(RowFakeQuantize), dtype ?? qdtype.quint8)
    {
        if (base.dtype == qdtype.quint8 || base.dtype == qdtype.quint4x2)
            return;
        Dispose();
        throw new ArgumentException($"{nameof(RowFakeQuantize)} knows quint8 and quint4x2, found {dtype}.", nameof(dtype));
    }

    /// <inheritdoc/>
    public override int quant_min => 0;

    /// <inheritdoc/>
    public override int quant_max => dtype == qdtype.quint8 ? 255 : 15;

    /// <inheritdoc/>
    internal override bool HasQParams => true;

    /// <inheritdoc/>
    internal override qscheme? Scheme => qscheme.per_channel_affine_float_qparams;

    /// <inheritdoc/>
    internal override QuantizationGrid Grid => throw new InvalidOperationException($"{this}: each row has a grid of its own, with a float zero point.");

    /// <summary>The qconfig that converts what was trained.</summary>
    internal QConfig Converted => dtype == qdtype.quint8 ? quantization.float_qparams_weight_only_qconfig : quantization.float_qparams_weight_only_qconfig_4bit;

    /// <summary>A factory of these modules, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="RowFakeQuantize(qdtype?)"/>
    public static ObserverFactory with_args(qdtype? dtype = null) => new(() => new RowFakeQuantize(dtype));

    /// <summary>The fake quantizer that the qconfig of a table makes.</summary>
    /// <exception cref="ArgumentException">It makes something else; the message names the table.</exception>
    internal static RowFakeQuantize Of(QConfig qconfig, string path)
    {
        var observer = qconfig.weight.Create();
        if (observer is RowFakeQuantize rows)
            return rows;
        using (observer)
            throw new ArgumentException($"{PackedState.Join(path, "weight")}: the weight of its qconfig is {observer}; tables of embeddings are trained with quantization.default_embedding_qat_qconfig.");
    }

    /// <summary>Moves rows to their grids, if that is on.</summary>
    /// <param name="input">Float32 [..., columns].</param>
    /// <returns>A tensor of the same shape; an alias where nothing is moved.</returns>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!is_fake_quant_enabled || input.numel() == 0)
            return input.alias();
        Tensor values;
        using (no_grad())
        {
            using var rows = input.detach().reshape(-1, input.shape[^1]);
            using var contiguous = rows.contiguous();
            values = empty(input.shape, dtype: ScalarType.Float32, device: CPU);
            var indices = new long[rows.shape[0]];
            for (var i = 0; i < indices.Length; i++)
                indices[i] = i;
            Pack(contiguous, nameof(input)).Lookup(indices, values.Span<float>(), get_num_threads());
        }

        return GivenValues.Apply(input, values);
    }

    /// <summary>Always refused: each row has a scale and a zero point of its own values.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override (Tensor scale, Tensor zero_point) calculate_qparams() => throw new InvalidOperationException($"{this}: each row has the scale and the float zero point of its own values.");

    /// <summary>The class and its settings.</summary>
    public override string ToString() => $"{GetName()}(fake_quant_enabled={is_fake_quant_enabled}, dtype={dtype})";

    /// <summary>Whether a qconfig's weights are fake-quantized by rows.</summary>
    internal static bool IsMadeBy(QConfig qconfig)
    {
        using var observer = qconfig.weight.Create();
        return observer is RowFakeQuantize;
    }

    /// <summary>The table as it is converted.</summary>
    internal Kernels.PackedEmbedding Pack(Tensor rows, string path)
    {
        using var observer = (PerChannelMinMaxObserver)Converted.weight.Create();
        return EmbeddingPacking.Pack(rows, observer, path);
    }
}
