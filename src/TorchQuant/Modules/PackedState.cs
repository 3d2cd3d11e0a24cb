using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Between a <see cref="PackedLinear"/> and the plain tensors of a state: <c>weight</c> (int8 or float16 [out, in]), <c>weight_scale</c> (float32 [1] or [out]),
/// <c>weight_zero_point</c> (int32 [1] or [out]) and <c>bias</c> (float32 [out]).</summary>
internal static class PackedState
{
    private const string Scale = "_scale";
    private const string ZeroPoint = "_zero_point";

    /// <summary>Adds the plain tensors of a packed weight; the bias only if there is one.</summary>
    /// <param name="state">Receives new tensors that belong to no DisposeScope.</param>
    /// <param name="packed">The packed weight.</param>
    /// <param name="weight">The weight's name: <c>weight_ih_l0</c>.</param>
    /// <param name="bias">The bias's name: <c>bias_ih_l0</c>.</param>
    public static void Export(List<KeyValuePair<string, Tensor>> state, PackedLinear packed, string weight, string bias)
    {
        long[] shape = [packed.OutFeatures, packed.InFeatures];
        switch (packed)
        {
            case Int8Linear int8:
                var codes = empty(shape, dtype: ScalarType.Int8, device: CPU);
                int8.Weights.Unpack(codes.Span<sbyte>());
                Add(state, weight, codes);
                Add(state, weight + Scale, tensor(int8.Weights.Scales.ToArray(), device: CPU));
                Add(state, weight + ZeroPoint, tensor(int8.Weights.ZeroPoints.ToArray(), device: CPU));
                break;
            case HalfLinear half:
                var halves = empty(shape, dtype: ScalarType.Float16, device: CPU);
                half.Unpack(halves.Span<Half>());
                Add(state, weight, halves);
                break;
            default:
                throw new NotSupportedException($"{packed.GetType()} has no plain form.");
        }
        if (packed.Bias.Length > 0)
            Add(state, bias, tensor(packed.Bias.ToArray(), device: CPU));
    }

    /// <summary>Packs plain tensors again: the inverse of <see cref="Export"/>.</summary>
    /// <param name="state">Holds the tensors; borrowed.</param>
    /// <param name="weight">The weight's name.</param>
    /// <param name="bias">The bias's name; no bias if the state has none.</param>
    /// <param name="reduceRange">Whether dynamic activations use the codes 0..127 only.</param>
    /// <param name="path">The module's path, for messages.</param>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    public static PackedLinear Import(IReadOnlyDictionary<string, Tensor> state, string weight, string bias, bool reduceRange, string path)
    {
        var codes = Require(state, weight, path);
        if (codes.dim() != 2)
            throw Wrong(path, weight, codes, "the shape [out, in]");
        var (rows, columns) = (checked((int)codes.shape[0]), checked((int)codes.shape[1]));
        var plainBias = state.ContainsKey(bias) ? Read<float>(state, bias, ScalarType.Float32, rows, path) : null;
        if (plainBias is { Length: 1 } && rows != 1)
            throw Wrong(path, bias, state[bias], $"[{rows}]");
        using var contiguous = codes.contiguous();
        try
        {
            switch (codes.dtype)
            {
                case ScalarType.Int8:
                    var scales = Read<float>(state, weight + Scale, ScalarType.Float32, rows, path);
                    var zeroPoints = Read<int>(state, weight + ZeroPoint, ScalarType.Int32, rows, path);
                    return new Int8Linear(PackedWeights.Pack(contiguous.Span<sbyte>(), rows, columns, scales, Compact(zeroPoints)), plainBias, reduceRange);
                case ScalarType.Float16:
                    using (var floats = contiguous.to(ScalarType.Float32))
                        return HalfLinear.Pack(floats.Span<float>(), rows, columns, plainBias);
                default:
                    throw Wrong(path, weight, codes, "Int8 or Float16");
            }
        }
        catch (ArgumentException e) when (e.ParamName is not null)
        {
            // A kernel's refusal, which knows no path.
            throw new ArgumentException($"{Join(path, weight)}: {e.Message}", e);
        }
    }

    /// <summary>The values of a float32 or int32 tensor of the shape [1] or [count].</summary>
    /// <exception cref="ArgumentException">The tensor is missing or of another type or shape.</exception>
    public static T[] Read<T>(IReadOnlyDictionary<string, Tensor> state, string name, ScalarType dtype, int count, string path) where T : unmanaged
    {
        var values = Require(state, name, path);
        if (values.dtype != dtype || values.dim() != 1 || (values.numel() != 1 && values.numel() != count))
            throw Wrong(path, name, values, $"{dtype} [1] or [{count}]");
        using var contiguous = values.contiguous();
        return contiguous.Span<T>().ToArray();
    }

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Tensor Require(IReadOnlyDictionary<string, Tensor> state, string name, string path) =>
        state.TryGetValue(name, out var found)
            ? found
            : throw new ArgumentException($"{Join(path, name)} is missing; the state has {string.Join(", ", state.Keys.Order(StringComparer.Ordinal))}.");

    /// <summary>The precision as PyTorch prints it: <c>dtype=qint8, qscheme=per_tensor_affine</c>, or <c>dtype=float16</c>.</summary>
    public static string Describe(PackedLinear packed) => packed switch
    {
        Int8Linear int8 => $"dtype={qdtype.qint8}, qscheme={(int8.Weights.Scales.Length == 1 ? qscheme.per_tensor_affine : qscheme.per_channel_affine)}",
        _ => $"dtype={qdtype.float16}",
    };

    /// <summary>One value where all are the same: zero points of symmetric weights are all 0, and storing them for each channel would double the overhead.</summary>
    public static int[] Compact(int[] values) => values.AsSpan().ContainsAnyExcept(values[0]) ? values : [values[0]];

    /// <summary>Adds a tensor that is to outlive the caller's DisposeScope.</summary>
    public static void Add(List<KeyValuePair<string, Tensor>> state, string name, Tensor value) => state.Add(new(name, value.DetachFromDisposeScope()));

    /// <summary>The exception for a tensor of the wrong type or shape.</summary>
    public static ArgumentException Wrong(string path, string name, Tensor found, string expected) =>
        new($"{Join(path, name)} is {found.dtype} [{string.Join(", ", found.shape)}]; expected {expected}.");

    /// <summary>The dotted path of a tensor in a module.</summary>
    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
