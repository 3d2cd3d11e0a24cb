using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchQuant.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Which scale and zero point the values of a float tensor lie on in quantization-aware training: what a quint8 tensor knows of itself. A tensor that a prepared module gave is known; what the user's forward makes of
/// it without new values (relu, max_pool, flatten, slices) lies on the same numbers, and is found by them.
/// </summary>
internal static class TensorGrids
{
    private const int MostRecent = 64;
    private const int PieceLength = 4096;

    private static readonly ConditionalWeakTable<Tensor, TensorGrid> s_grids = [];

    [ThreadStatic]
    private static List<TensorGrid>? t_recent;

    /// <summary>Notes the grid of a tensor: the same object, not one with the same values.</summary>
    /// <returns>The tensor.</returns>
    public static Tensor Remember(Tensor tensor, TensorGrid grid)
    {
        s_grids.AddOrUpdate(tensor, grid);
        var recent = t_recent ??= [];
        recent.Remove(grid);
        recent.Insert(0, grid);
        if (recent.Count > MostRecent)
            recent.RemoveAt(MostRecent);
        return tensor;
    }

    /// <summary>The grid of a tensor: that noted for it, else the last that this thread noted for any tensor and that has all of its values.</summary>
    /// <returns>Null where there is none.</returns>
    public static TensorGrid? Of(Tensor tensor)
    {
        if (s_grids.TryGetValue(tensor, out var noted))
            return noted;
        if (t_recent is not { Count: > 0 } recent || tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || tensor.numel() == 0)
            return null;
        using var noGrad = no_grad();
        using var detached = tensor.detach();
        using var source = detached.contiguous();
        var values = source.Span<float>();
        foreach (var grid in recent)
            if (HasAll(grid.QParams, values))
                return grid;
        return null;
    }

    /// <summary>The codes of values that lie on a grid, in the order in memory that they have in the int8 model.</summary>
    public static Tensor Codes(Tensor values, TensorGrid grid)
    {
        using var noGrad = no_grad();
        using var output = new QuantizedOutput(grid.QParams);
        using var detached = values.detach();
        return output.Quantize(detached, grid.ChannelsLast);
    }

    /// <summary>The values of quint8 codes as a contiguous float tensor, to the bit those that <see cref="FakeQuantizer"/> gives; their grid is noted.</summary>
    public static Tensor Values(Tensor codes)
    {
        using var source = MemoryOrder.Of(codes, out var channelsLast);
        var grid = new TensorGrid(TensorQParams.Of(codes), channelsLast);
        var values = empty(source.shape, dtype: ScalarType.Float32, device: CPU);
        Quantizer.Dequantize(source.Span<byte>(), values.Span<float>(), grid.QParams);
        if (!channelsLast)
            return Remember(values, grid);
        using (values)
        {
            using var second = ChannelsLast.ToSecond(values);
            return Remember(second.contiguous(), grid);
        }
    }

    private static bool HasAll(QParams grid, ReadOnlySpan<float> values)
    {
        var codes = ArrayPool<byte>.Shared.Rent(PieceLength);
        var back = ArrayPool<float>.Shared.Rent(PieceLength);
        var same = true;
        for (var from = 0; from < values.Length && same; from += PieceLength)
        {
            var piece = values.Slice(from, Math.Min(PieceLength, values.Length - from));
            Quantizer.Quantize(piece, codes.AsSpan(0, piece.Length), grid);
            Quantizer.Dequantize(codes.AsSpan(0, piece.Length), back.AsSpan(0, piece.Length), grid);
            same = MemoryMarshal.AsBytes(piece).SequenceEqual(MemoryMarshal.AsBytes<float>(back.AsSpan(0, piece.Length)));
        }

        ArrayPool<byte>.Shared.Return(codes);
        ArrayPool<float>.Shared.Return(back);
        return same;
    }
}

/// <summary>What a quint8 tensor has that a float one has not.</summary>
/// <param name="QParams">Scale and zero point.</param>
/// <param name="ChannelsLast">Whether the int8 model has the channels last in memory: libtorch's average pooling rounds ties otherwise then.</param>
internal sealed record TensorGrid(QParams QParams, bool ChannelsLast);
