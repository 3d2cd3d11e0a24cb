using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The entries <c>scale</c> (float32 [1]) and <c>zero_point</c> (int32 [1]) of the state of a statically quantized module, PyTorch's names; and <c>code_range</c> (int32 [2]: the smallest and the largest code),
/// only where that is not 0..255.
/// </summary>
internal static class OutputState
{
    private const string Scale = "scale";
    private const string ZeroPoint = "zero_point";
    private const string CodeRange = "code_range";

    /// <summary>Bytes of scale and zero point.</summary>
    public const long Bytes = sizeof(float) + sizeof(int);

    /// <summary>Bytes of all entries.</summary>
    public static long BytesOf(QParams output) => HasWholeRange(output) ? Bytes : Bytes + (2 * sizeof(int));

    /// <summary>Adds the entries, as tensors that belong to no DisposeScope.</summary>
    public static void Export(List<KeyValuePair<string, Tensor>> state, QParams output)
    {
        PackedState.Add(state, Scale, tensor([output.Scale], device: CPU));
        PackedState.Add(state, ZeroPoint, tensor([output.ZeroPoint], device: CPU));
        if (!HasWholeRange(output))
            PackedState.Add(state, CodeRange, tensor([(int)output.Lowest, output.Highest], device: CPU));
    }

    /// <summary>Reads the entries.</summary>
    /// <exception cref="ArgumentException">An entry is missing, of another type or shape, or no scale, zero point or range of quint8.</exception>
    public static QParams Import(IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var scale = PackedState.Read<float>(state, Scale, ScalarType.Float32, 1, path)[0];
        var zeroPoint = PackedState.Read<int>(state, ZeroPoint, ScalarType.Int32, 1, path)[0];
        if (!state.ContainsKey(CodeRange))
            return Checked(new QParams(scale, zeroPoint), path);
        if (PackedState.Read<int>(state, CodeRange, ScalarType.Int32, 2, path) is not [>= byte.MinValue and var lowest, <= byte.MaxValue and var highest] || lowest >= highest)
            throw new ArgumentException($"{PackedState.Join(path, CodeRange)} is no increasing range within 0 to 255, the codes of quint8.");
        return Checked(new QParams(scale, zeroPoint) { Lowest = (byte)lowest, Highest = (byte)highest }, path);
    }

    private static bool HasWholeRange(QParams output) => output is { Lowest: byte.MinValue, Highest: byte.MaxValue };

    /// <summary>Refuses what no quint8 tensor can have.</summary>
    /// <exception cref="ArgumentException">The scale is not positive and finite, or the zero point not in 0..255.</exception>
    public static QParams Checked(QParams output, string path)
    {
        if (!(output.Scale > 0) || !float.IsFinite(output.Scale) || !float.IsFinite(1 / output.Scale))
            throw new ArgumentException($"{PackedState.Join(path, Scale)} is {output.Scale}; expected a positive finite number with a finite reciprocal.");
        if (output.ZeroPoint is < byte.MinValue or > byte.MaxValue)
            throw new ArgumentException($"{PackedState.Join(path, ZeroPoint)} is {output.ZeroPoint}; expected 0 to 255, the codes of quint8.");
        return output;
    }
}
