using System.Globalization;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>From a float table [rows, columns] and a qconfig to the packed table that the kernels read, and between that and the plain tensors of a state.</summary>
/// <remarks>8 bits: <c>weight</c> (uint8 [rows, columns]), <c>weight_scale</c> and <c>weight_zero_point</c> (float32 [rows]): columns + 8 bytes a row, as in PyTorch.
/// 4 bits: <c>weight</c> (uint8 [rows, ceil(columns / 2)], the low nibble first), <c>weight_scale</c> and <c>weight_min</c> (float16 [rows], the value of code 0):
/// columns / 2 + 4 bytes a row, as in PyTorch.</remarks>
internal static class EmbeddingPacking
{
    private const string Weight = "weight";
    private const string Scale = "weight_scale";
    private const string ZeroPoint = "weight_zero_point";
    private const string Minimum = "weight_min";
    private const string BitsOption = "bits";
    private const string ColumnsOption = "embedding_dim";

    /// <summary>Quantizes the table of an Embedding or EmbeddingBag as the qconfig's weight observer says: code = clamp(round_half_even(x / scale + zero_point)), the zero
    /// point a float. What max_norm shortens in the float module is shortened first.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">How to quantize.</param>
    /// <param name="path">The dotted path of the module, for messages.</param>
    /// <returns>The packed table, and the options of the float module.</returns>
    /// <exception cref="ArgumentException">The table is not finite, not float32 or not on the CPU, or the qconfig is none for embeddings.</exception>
    public static (PackedEmbedding Packed, EmbeddingFactoryOptions Options) Pack(nn.Module module, QConfig qconfig, string path)
    {
        path = PackedState.Join(path, Weight);
        var weight = module.get_parameter(Weight)!;
        WeightPacking.RequireFiniteFloat(weight, path);
        using var observer = qconfig.weight.Create();
        if (observer is not PerChannelMinMaxObserver { qscheme: qscheme.per_channel_affine_float_qparams, ch_axis: 0 or -2 } rowwise
            || (observer.dtype != qdtype.quint8 && observer.dtype != qdtype.quint4x2))
            throw new ArgumentException(
                $"{path}: the qconfig's weight observer is {observer}; embeddings take PerChannelMinMaxObserver with dtype quint8 or quint4x2 and qscheme " +
                "per_channel_affine_float_qparams: pass dtype: qdtype.quint8, or quantization.float_qparams_weight_only_qconfig for this module.");
        var options = EmbeddingProbe.Of(module);
        using var values = Rows(weight, options);
        return (Pack(values, rowwise, path), options);
    }

    /// <summary>Quantizes rows, each with a scale of its own.</summary>
    /// <param name="values">Float32 [rows, columns], contiguous.</param>
    /// <param name="rowwise">A new observer of rows, of quint8 or quint4x2 with float qparams.</param>
    /// <param name="path">The name of the table, for messages.</param>
    public static PackedEmbedding Pack(Tensor values, PerChannelMinMaxObserver rowwise, string path)
    {
        rowwise.forward(values).Dispose();
        var (scales, zeroPoints) = rowwise.FloatQParams();
        var columns = checked((int)values.shape[1]);
        var codes = Quantize(values.Span<float>(), columns, scales, zeroPoints, rowwise.quant_min, rowwise.quant_max);
        return rowwise.dtype == qdtype.quint8
            ? PackedEmbedding.Pack8(codes, scales.Length, columns, scales, zeroPoints)
            : Pack4(codes, columns, Halves(scales, path), Halves(Minima(scales, zeroPoints), path), path);
    }

    /// <summary>The plain tensors: new, and of no DisposeScope.</summary>
    public static List<KeyValuePair<string, Tensor>> Export(PackedEmbedding packed)
    {
        var codes = new byte[checked(packed.Rows * packed.Columns)];
        var (scales, zeroPoints) = (new float[packed.Rows], new float[packed.Rows]);
        packed.Unpack(codes, scales, zeroPoints);
        var state = new List<KeyValuePair<string, Tensor>>();
        if (packed.Bits == 8)
        {
            PackedState.Add(state, Weight, tensor(codes, [packed.Rows, packed.Columns], device: CPU));
            PackedState.Add(state, Scale, tensor(scales, device: CPU));
            PackedState.Add(state, ZeroPoint, tensor(zeroPoints, device: CPU));
            return state;
        }
        var nibbles = empty([packed.Rows, (packed.Columns + 1) / 2], dtype: ScalarType.Byte, device: CPU);
        JoinNibbles(codes, packed.Columns, nibbles.Span<byte>());
        PackedState.Add(state, Weight, nibbles);
        PackedState.Add(state, Scale, HalfTensor(scales));
        PackedState.Add(state, Minimum, HalfTensor(Minima(scales, zeroPoints)));
        return state;
    }

    /// <summary>Packs plain tensors again: the inverse of <see cref="Export"/>.</summary>
    /// <param name="state">Holds the tensors; borrowed.</param>
    /// <param name="bits">8 or 4.</param>
    /// <param name="columns">The length of a row: with 4 bits the tensor does not tell.</param>
    /// <param name="path">The module's path, for messages.</param>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    public static PackedEmbedding Import(IReadOnlyDictionary<string, Tensor> state, int bits, int columns, string path)
    {
        var weight = PackedState.Require(state, Weight, path);
        var rowBytes = bits == 8 ? columns : (columns + 1) / 2;
        if (weight.dtype != ScalarType.Byte || weight.dim() != 2 || weight.shape[1] != rowBytes)
            throw PackedState.Wrong(path, Weight, weight, $"Byte [rows, {rowBytes}]");
        var rows = checked((int)weight.shape[0]);
        using var contiguous = weight.contiguous();
        if (bits == 8)
            return PackedEmbedding.Pack8(
                contiguous.Span<byte>(), rows, columns, PackedState.Read<float>(state, Scale, ScalarType.Float32, rows, path),
                PackedState.Read<float>(state, ZeroPoint, ScalarType.Float32, rows, path));
        var codes = new byte[checked(rows * columns)];
        SplitNibbles(contiguous.Span<byte>(), columns, codes);
        return Pack4(
            codes, columns, PackedState.Read<Half>(state, Scale, ScalarType.Float16, rows, path), PackedState.Read<Half>(state, Minimum, ScalarType.Float16, rows, path), path);
    }

    /// <inheritdoc cref="Import(IReadOnlyDictionary{string, Tensor}, int, int, string)"/>
    public static PackedEmbedding Import(IReadOnlyDictionary<string, Tensor> state, IReadOnlyDictionary<string, string> options, string path)
    {
        var bits = StateOptions.Int(options, BitsOption, path);
        return bits is 8 or 4
            ? Import(state, bits, StateOptions.Int(options, ColumnsOption, path, least: 1), path)
            : throw new ArgumentException($"{path}: the option {BitsOption} is {bits}; expected 8 or 4.");
    }

    /// <summary>What <see cref="Import(IReadOnlyDictionary{string, Tensor}, IReadOnlyDictionary{string, string}, string)"/> needs besides the tensors.</summary>
    public static Dictionary<string, string> Options(PackedEmbedding packed) => new()
    {
        [BitsOption] = packed.Bits.ToString(CultureInfo.InvariantCulture),
        [ColumnsOption] = packed.Columns.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Bytes of the tensors of <see cref="Export"/>.</summary>
    public static long Bytes(PackedEmbedding packed) => packed.Rows * (packed.Bits == 8 ? packed.Columns + 8L : ((packed.Columns + 1) / 2) + 4L);

    /// <summary>As PyTorch prints it: <c>num_embeddings=10, embedding_dim=4, dtype=quint8, qscheme=per_channel_affine_float_qparams</c>.</summary>
    public static string Describe(PackedEmbedding packed) =>
        $"num_embeddings={packed.Rows}, embedding_dim={packed.Columns}, dtype={(packed.Bits == 8 ? qdtype.quint8 : qdtype.quint4x2)}, qscheme={qscheme.per_channel_affine_float_qparams}";

    // The table as forward reads it: with max_norm, a lookup of every row shortens them all.
    private static Tensor Rows(Tensor weight, EmbeddingFactoryOptions options)
    {
        using var noGrad = no_grad();
        using var detached = weight.detach();
        if (options.MaxNorm is null)
            return detached.contiguous();
        using var copy = detached.clone();
        using var shortening = nn.Embedding_from_pretrained(copy, max_norm: options.MaxNorm, norm_type: options.NormType);
        using var all = arange(weight.shape[0], dtype: ScalarType.Int64);
        return shortening.forward(all);
    }

    // The zero point is added before rounding, as ATen's quantize_per_channel does for float qparams.
    private static byte[] Quantize(ReadOnlySpan<float> values, int columns, float[] scales, float[] zeroPoints, int quantMin, int quantMax)
    {
        var codes = new byte[values.Length];
        for (var row = 0; row < scales.Length; row++)
        {
            var (inverse, zeroPoint) = (1f / scales[row], zeroPoints[row]);
            for (var i = row * columns; i < (row + 1) * columns; i++)
                codes[i] = (byte)Math.Clamp(MathF.Round((values[i] * inverse) + zeroPoint, MidpointRounding.ToEven), quantMin, quantMax);
        }
        return codes;
    }

    private static PackedEmbedding Pack4(ReadOnlySpan<byte> codes, int columns, Half[] scales, Half[] minima, string path)
    {
        var exactScales = Array.ConvertAll(scales, s => (float)s);
        var zeroPoints = new float[scales.Length];
        for (var row = 0; row < scales.Length; row++)
        {
            if (!(exactScales[row] > 0))
                throw new ArgumentException($"{path}: the scale of row {row} is {scales[row]}; expected a positive number.");
            zeroPoints[row] = -(float)minima[row] / exactScales[row];
        }
        return PackedEmbedding.Pack4(codes, scales.Length, columns, exactScales, zeroPoints);
    }

    private static float[] Minima(float[] scales, float[] zeroPoints)
    {
        var minima = new float[scales.Length];
        for (var row = 0; row < minima.Length; row++)
            minima[row] = -zeroPoints[row] * scales[row];
        return minima;
    }

    private static Half[] Halves(float[] values, string path)
    {
        var halves = Array.ConvertAll(values, v => (Half)v);
        var beyond = Array.FindIndex(halves, h => !Half.IsFinite(h));
        return beyond < 0
            ? halves
            : throw new ArgumentException($"{path}: row {beyond} has values beyond 65504; the rows of a 4-bit table store their scale and smallest value in float16. Use dtype quint8.");
    }

    private static Tensor HalfTensor(float[] values)
    {
        using var floats = tensor(values, device: CPU);
        return floats.to(ScalarType.Float16);
    }

    private static void JoinNibbles(ReadOnlySpan<byte> codes, int columns, Span<byte> nibbles)
    {
        nibbles.Clear();
        var rowBytes = (columns + 1) / 2;
        for (var i = 0; i < codes.Length; i++)
        {
            var (row, column) = (i / columns, i % columns);
            nibbles[(row * rowBytes) + (column >> 1)] |= (byte)(codes[i] << ((column & 1) * 4));
        }
    }

    private static void SplitNibbles(ReadOnlySpan<byte> nibbles, int columns, Span<byte> codes)
    {
        var rowBytes = (columns + 1) / 2;
        for (var i = 0; i < codes.Length; i++)
        {
            var (row, column) = (i / columns, i % columns);
            codes[i] = (byte)((nibbles[(row * rowBytes) + (column >> 1)] >> ((column & 1) * 4)) & 15);
        }
    }
}
