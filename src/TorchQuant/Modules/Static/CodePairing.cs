using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A kernel for two arrays of codes; the second is as long as the first, a row that repeats along it, or one code.</summary>
internal delegate void CodePairKernel(ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, Span<byte> output, QParams outParams);

/// <summary>
/// Brings two tensors of codes, broadcast as tensors are, before a kernel for two arrays: in the order in which they lie in memory, channels last if one of them is so, without copies where
/// both lie alike. The second may be a row for each step of the leading dimensions: a factor for each channel of each image, channels last, is not expanded.
/// </summary>
internal static class CodePairing
{
    /// <summary>Rows shorter than this are expanded instead: the kernel would be called too often.</summary>
    private const long ShortestRun = 256;

    /// <summary>Runs a commutative kernel.</summary>
    /// <param name="module">For messages.</param>
    /// <param name="x">quint8.</param>
    /// <param name="y">quint8.</param>
    /// <param name="output">Scale and zero point of the result.</param>
    /// <param name="kernel">Computes.</param>
    /// <returns>A new tensor of the shape that both broadcast to, in the memory order of the inputs.</returns>
    /// <exception cref="ArgumentException">An input is not quint8, or the shapes do not broadcast; the message names the module.</exception>
    public static Tensor Run<TModule>(TModule module, Tensor x, Tensor y, QuantizedOutput output, CodePairKernel kernel) where TModule : nn.Module, IQuantizedModule
    {
        var (xParams, yParams) = (QuantizedInput.Read(module, x, nameof(x)), QuantizedInput.Read(module, y, nameof(y)));
        var (xShape, yShape) = (x.shape, y.shape);
        var shape = Broadcast(module, xShape, yShape);
        var channelsLast = CodeOrder.LiesChannelsLast(x, shape.Length) || CodeOrder.LiesChannelsLast(y, shape.Length);
        if (!xShape.AsSpan().SequenceEqual(yShape))
            return Broadcast(x, xParams, y, yParams, shape, channelsLast, output, kernel);
        using var a = CodeOrder.Of(x, channelsLast);
        using var b = CodeOrder.Of(y, channelsLast);
        var codes = output.Empty(a.shape);
        kernel(a.Span<byte>(), xParams, b.Span<byte>(), yParams, codes.Span<byte>(), output.QParams);
        return MemoryOrder.Restore(codes, channelsLast);
    }

    private static Tensor Broadcast(Tensor x, QParams xParams, Tensor y, QParams yParams, long[] shape, bool channelsLast, QuantizedOutput output, CodePairKernel kernel)
    {
        if (!x.shape.AsSpan().SequenceEqual(shape) && y.shape.AsSpan().SequenceEqual(shape))
            (x, xParams, y, yParams) = (y, yParams, x, xParams);
        using var whole = x.expand(shape);
        using var a = CodeOrder.Of(whole, channelsLast);
        var memory = a.shape;
        using var padded = y.reshape([.. Enumerable.Repeat(1L, shape.Length - (int)y.dim()), .. y.shape]);
        using var row = CodeOrder.Of(padded, channelsLast);
        var (steps, length) = RepeatedRow(memory, row.shape);
        using var expanded = steps == 0 ? row.expand(memory) : row.alias();
        using var b = expanded.contiguous();
        var codes = output.Empty(memory);
        var left = a.Span<byte>();
        var right = b.Span<byte>();
        var result = codes.Span<byte>();
        (steps, length) = steps == 0 ? (1, right.Length) : (steps, length);
        var step = left.Length / (int)steps;
        for (var i = 0; i < steps && step > 0; i++)
            kernel(left.Slice(i * step, step), xParams, right.Slice(i * (int)length, (int)length), yParams, result.Slice(i * step, step), output.QParams);
        return MemoryOrder.Restore(codes, channelsLast);
    }

    /// <summary>How a tensor repeats along another: its leading dimensions are the other's, those in the middle are 1, the trailing ones are the other's again.</summary>
    /// <returns>The products of the leading and of the trailing dimensions; (0, 0) where it must be expanded.</returns>
    private static (long Leading, long Trailing) RepeatedRow(ReadOnlySpan<long> whole, ReadOnlySpan<long> part)
    {
        var (from, to) = (0, whole.Length);
        long leading = 1, trailing = 1, middle = 1;
        while (to > 0 && part[to - 1] == whole[to - 1])
            trailing *= whole[--to];
        if (to == 0)
            return (1, trailing);
        while (from < to && part[from] == whole[from])
            leading *= whole[from++];
        for (var i = from; i < to; middle *= whole[i++])
            if (part[i] != 1)
                return (0, 0);
        return leading == 1 || middle * trailing >= ShortestRun ? (leading, trailing) : (0, 0);
    }

    private static long[] Broadcast<TModule>(TModule module, long[] one, long[] other) where TModule : nn.Module, IQuantizedModule
    {
        var shape = new long[Math.Max(one.Length, other.Length)];
        for (var i = 1; i <= shape.Length; i++)
        {
            var (a, b) = (i <= one.Length ? one[^i] : 1, i <= other.Length ? other[^i] : 1);
            shape[^i] = a == 1 ? b : b == 1 || a == b ? a : throw new ArgumentException(
                $"{Float32OnCpu.Name(module)}: the shapes [{string.Join(", ", one)}] and [{string.Join(", ", other)}] do not broadcast; from the last dimension backwards, sizes must be equal or 1.");
        }
        return shape;
    }
}
