using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Joins tensors of codes along a dimension: each code is looked up in the table from its tensor's qparams to the output's. The result has its channels last if one of the tensors has, and those
/// that lie so are not copied first. The integers are libtorch's: its quantized::cat of channels-last tensors along the channels dequantizes eight channels at a time by a fused
/// multiply-add, and everything else without.
/// </summary>
/// <param name="output">Scale and zero point of the result.</param>
internal sealed class CodeConcatenation(QuantizedOutput output)
{
    private const int MostTables = 8;
    private const int ChannelsAtATime = 8;

    private volatile Tables[] _tables = [];

    /// <summary>Joins.</summary>
    /// <param name="module">For messages.</param>
    /// <param name="x">At least one tensor of quint8.</param>
    /// <param name="dim">The dimension; negative from the last.</param>
    /// <exception cref="ArgumentException">There is no tensor, one is not quint8, or the shapes do not fit; the message names the module.</exception>
    public Tensor Run<TModule>(TModule module, IReadOnlyList<Tensor> x, int dim) where TModule : nn.Module, IQuantizedModule
    {
        var tables = new Tables[x.Count];
        for (var i = 0; i < x.Count; i++)
            tables[i] = For(QuantizedInput.Read(module, x[i], nameof(x)));
        var dimensions = Dimensions(module, x, dim);
        var axis = dim < 0 ? dim + dimensions : dim;
        var channelsLast = x.Any(tensor => CodeOrder.LiesChannelsLast(tensor, dimensions));
        var parts = x.Select(tensor => CodeOrder.Of(tensor, channelsLast)).ToArray();
        try
        {
            var inMemory = !channelsLast || axis == 0 ? axis : axis == 1 ? dimensions - 1 : axis - 1;
            var shape = parts[0].shape;
            shape[inMemory] = parts.Sum(part => part.shape[inMemory]);
            var codes = output.Empty(shape);
            // libtorch's condition for its own kernel of channels-last tensors; one that lies in both orders meets it.
            var fused = dim == 1 && dimensions == 4 && x.All(AllowsChannelsLast) ? ChannelsAtATime : int.MaxValue;
            Write(parts, tables, inMemory, fused, codes.Span<byte>());
            return MemoryOrder.Restore(codes, channelsLast);
        }
        finally
        {
            foreach (var part in parts)
                part.Dispose();
        }
    }

    private static void Write(Tensor[] parts, Tables[] tables, int axis, int channelsAtATime, Span<byte> codes)
    {
        var rows = 1L;
        foreach (var size in parts[0].shape.AsSpan(0, axis))
            rows *= size;
        if (codes.Length == 0)
            return;
        var (stride, at) = (codes.Length / (int)rows, 0);
        for (var i = 0; i < parts.Length; i++)
        {
            var source = parts[i].Span<byte>();
            var length = source.Length / (int)rows;
            if (length > 0)
                Write(source, length, tables[i], channelsAtATime, codes[at..], stride);
            at += length;
        }
    }

    /// <summary>Puts rows of one tensor into their places in the rows of the result.</summary>
    private static void Write(ReadOnlySpan<byte> source, int length, Tables tables, int channelsAtATime, Span<byte> target, int stride)
    {
        var whole = channelsAtATime == int.MaxValue ? 0 : length / channelsAtATime * channelsAtATime;
        (whole == 0 ? tables.Plain : tables.Fused).ApplyRows(source, length, target, stride, get_num_threads());
        if (whole == 0 || whole == length || tables.Same)
            return;
        var codes = tables.Plain.Codes;
        for (var (from, to) = (0, 0); from < source.Length; from += length, to += stride)
            for (var i = whole; i < length; i++)
                target[to + i] = codes[source[from + i]];
    }

    private Tables For(QParams input)
    {
        foreach (var known in _tables)
            if (known.Plain.Input == input)
                return known;
        var (plain, fused) = (CodeTable.Requantize(input, output.QParams), CodeTable.RequantizeFused(input, output.QParams));
        var made = new Tables(plain, fused, plain.Codes.SequenceEqual(fused.Codes));
        _tables = [made, .. _tables.Take(MostTables - 1)];
        return made;
    }

    private static bool AllowsChannelsLast(Tensor tensor)
    {
        using var view = ChannelsLast.ViewOf(tensor);
        return view.is_contiguous();
    }

    private static int Dimensions<TModule>(TModule module, IReadOnlyList<Tensor> x, int dim) where TModule : nn.Module, IQuantizedModule
    {
        if (x.Count == 0)
            throw new ArgumentException($"{Float32OnCpu.Name(module)}: cat was given no tensor; expected at least one.", nameof(x));
        var first = x[0].shape;
        var axis = dim < 0 ? dim + first.Length : dim;
        if (axis < 0 || axis >= first.Length)
            throw new ArgumentException($"{Float32OnCpu.Name(module)}: cat along dimension {dim} of tensors of the shape [{string.Join(", ", first)}]; expected {-first.Length} to {first.Length - 1}.", nameof(dim));
        foreach (var tensor in x)
        {
            var shape = tensor.shape;
            if (shape.Length == first.Length)
                shape[axis] = first[axis];
            if (!shape.AsSpan().SequenceEqual(first))
                throw new ArgumentException(
                    $"{Float32OnCpu.Name(module)}: cat along dimension {dim} of [{string.Join(", ", first)}] and [{string.Join(", ", tensor.shape)}]; all other dimensions must be equal.", nameof(x));
        }
        return first.Length;
    }

    private sealed record Tables(CodeTable Plain, CodeTable Fused, bool Same);
}
