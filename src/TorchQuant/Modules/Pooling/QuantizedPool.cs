using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The base of the modules that pool quint8 tensors with the channels last in memory by kernels of ours. libtorch pools such tensors to the same codes, but by its own threads, which go on spinning and take the cores from the
/// next kernel; and of pictures of the height or the width 1 it gives wrong codes. Everything else (float tensors in the float part of a model, another order of memory, other types of codes) libtorch pools as it did. The output
/// has the scale and the zero point of the input.
/// </summary>
public abstract class QuantizedPool : KeptQParamsModule
{
    private readonly int _dimensions;

    /// <summary>Keeps the name and the path.</summary>
    /// <param name="kind">The stable name that files use, without the dimensions.</param>
    /// <param name="dimensions">The spatial dimensions, 1 to 3.</param>
    /// <param name="path">The module's dotted path.</param>
    private protected QuantizedPool(string kind, int dimensions, string path) : base(kind, path) => _dimensions = dimensions;

    /// <summary>The kind with the dimensions, as it is printed.</summary>
    private protected string PrintedName => $"{Kind}{_dimensions}d";

    /// <summary>Whether inputs without a batch are pooled by the kernel: not those that libtorch refuses, and not means, which it rounds as those of tensors with the channels second.</summary>
    private protected abstract bool TakesUnbatched { get; }

    /// <summary>libtorch's operator.</summary>
    private protected abstract Tensor OfLibtorch(Tensor input);

    /// <summary>The sizes of the output.</summary>
    private protected abstract VolumeShape OutputOf(VolumeShape input);

    /// <summary>The kernel.</summary>
    private protected abstract void Run(ReadOnlySpan<byte> input, VolumeShape shape, int zeroPoint, Span<byte> output, int threads);

    /// <inheritdoc/>
    private protected sealed override Tensor Compute(Tensor input)
    {
        if (input.dtype != ScalarType.QUInt8)
            return OfLibtorch(input);
        var dimensions = (int)input.dim();
        if (dimensions != _dimensions + 2 && dimensions != _dimensions + 1)
            throw QuantizedInput.WrongShape(this, input, $"[batch, channels, {SpatialNames.Of(_dimensions)}], with or without the batch");
        if (CodeOrder.LiesChannelsLast(input, _dimensions + 2))
            return Pooled(input);
        if (dimensions == _dimensions + 1 && TakesUnbatched)
        {
            using var batch = input.unsqueeze(0);
            if (CodeOrder.LiesChannelsLast(batch, _dimensions + 2))
            {
                using var result = Pooled(batch);
                return result.squeeze(0);
            }
        }

        try
        {
            return OfLibtorch(input);
        }
        catch (ExternalException e)
        {
            throw Refused(input, e);
        }
    }

    private Tensor Pooled(Tensor input)
    {
        var shape = VolumeShape.Of(input.shape);
        var pooled = OutputOf(shape);
        if (pooled.Depth < 1 || pooled.Height < 1 || pooled.Width < 1)
            throw QuantizedInput.WrongShape(this, input, $"[batch, channels, {SpatialNames.Of(_dimensions)}] that is no smaller than a window");
        using var codes = QuantizedOutput.EmptyLike(input, pooled.Sizes(_dimensions + 2));
        try
        {
            Run(input.Memory<byte>(), shape, (int)input.q_zero_point(), codes.Span<byte>(), get_num_threads());
            GC.KeepAlive(input);
        }
        catch (ArgumentException e)
        {
            throw Refused(input, e);
        }

        return ChannelsLast.ToSecond(codes);
    }

    /// <summary>A refusal of the kernel or of libtorch, which know no path.</summary>
    private ArgumentException Refused(Tensor input, Exception e) =>
        new($"{Float32OnCpu.Name(this)}, for an input of the shape [{string.Join(", ", input.shape)}]: {e.Message.ReplaceLineEndings("\n").Split('\n')[0]}", nameof(input), e);
}
