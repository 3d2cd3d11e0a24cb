using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Makes uninitialized quint8 tensors of one scale and zero point for a kernel to write into. TorchSharp has no factory of quantized tensors: a tensor of one element is kept,
/// and a new one is made like it in the shape wanted.
/// </summary>
internal sealed class QuantizedOutput : IDisposable
{
    /// <summary>So many shapes have a template of their own: more are given one that is disposed again.</summary>
    private const int MostShapes = 4;

    private readonly Tensor _template;

    /// <summary>The template in the shapes of the first outputs: most callers come with inputs of a few shapes again and again. None is ever taken away: another thread may be reading it.</summary>
    private Shaped[] _kept = [];

    /// <summary>Prepares for one scale and zero point.</summary>
    public QuantizedOutput(QParams qparams)
    {
        QParams = qparams;
        using var one = zeros(1, dtype: ScalarType.Float32, device: CPU);
        using var noGrad = no_grad();
        _template = quantize_per_tensor(one, qparams.Scale, qparams.ZeroPoint, ScalarType.QUInt8).DetachFromDisposeScope();
    }

    /// <summary>The scale and the zero point of all tensors that are made.</summary>
    public QParams QParams { get; }

    /// <summary>A contiguous tensor.</summary>
    public Tensor Empty(ReadOnlySpan<long> shape)
    {
        foreach (var kept in _kept)
        {
            if (shape.SequenceEqual(kept.Shape))
                return empty_like(kept.Template);
        }

        var expanded = _template.expand(shape);
        var made = empty_like(expanded);
        var before = _kept;
        if (before.Length < MostShapes)
        {
            expanded.DetachFromDisposeScope();
            if (Interlocked.CompareExchange(ref _kept, [.. before, new Shaped([.. shape], expanded)], before) == before)
                return made;
        }

        expanded.Dispose();
        return made;
    }

    /// <summary>A contiguous tensor with the scale and the zero point of another, which has at least one element.</summary>
    public static Tensor EmptyLike(Tensor quantized, ReadOnlySpan<long> shape)
    {
        using var expanded = quantized.as_strided([.. shape], new long[shape.Length]);
        return empty_like(expanded);
    }

    /// <summary>A contiguous tensor with the channels last, whose view with the channels second is the caller's to give away.</summary>
    /// <param name="shape">[batch, spatial..., channels].</param>
    /// <param name="channelsSecond">The same memory as [batch, channels, spatial...].</param>
    /// <returns>The tensor in its order in memory; the caller disposes it when it is written.</returns>
    public Tensor EmptyChannelsLast(ReadOnlySpan<long> shape, out Tensor channelsSecond)
    {
        var channelsLast = Empty(shape);
        channelsSecond = ChannelsLast.ToSecond(channelsLast);
        return channelsLast;
    }

    /// <summary>The codes of float values.</summary>
    /// <param name="values">Float32 on the CPU.</param>
    /// <param name="channelsLast">Whether the channels are last in memory where there are 3 to 5 dimensions.</param>
    public Tensor Quantize(Tensor values, bool channelsLast = true)
    {
        if (!channelsLast || values.dim() is < 3 or > 5)
        {
            var plain = values.Contiguous(out var copy);
            using (copy)
                return Codes(plain, Empty(values.shape));
        }

        using var view = ChannelsLast.ViewOf(values);
        using var codes = EmptyChannelsLast(view.shape, out var result);
        if (!view.is_contiguous() && values.is_contiguous())
        {
            var channels = checked((int)values.size(1));
            var positions = checked((int)(values.numel() / values.size(0) / channels));
            Quantizer.QuantizeChannelsLast(values.Span<float>(), codes.Span<byte>(), channels, positions, QParams, QParams.Lowest, QParams.Highest, get_num_threads());
            return result;
        }

        var source = view.Contiguous(out var owned);
        using (owned)
            Codes(source, codes);
        return result;
    }

    /// <summary>Scale and zero point as a module's state, in tensors that belong to no DisposeScope.</summary>
    public List<KeyValuePair<string, Tensor>> Export()
    {
        var state = new List<KeyValuePair<string, Tensor>>();
        OutputState.Export(state, QParams);
        return state;
    }

    /// <summary>What makes tensors of the scale and the zero point of a state: this, if they are the same.</summary>
    /// <exception cref="ArgumentException">The state has none, or none of quint8; the message names the module.</exception>
    public QuantizedOutput Import(IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var output = OutputState.Import(state, path);
        return output == QParams ? this : new QuantizedOutput(output);
    }

    private Tensor Codes(Tensor source, Tensor target)
    {
        Quantizer.Quantize(source.Span<float>(), target.Span<byte>(), QParams, QParams.Lowest, QParams.Highest, get_num_threads());
        return target;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kept in _kept)
            kept.Template.Dispose();
        _template.Dispose();
    }

    private sealed record Shaped(long[] Shape, Tensor Template);
}
