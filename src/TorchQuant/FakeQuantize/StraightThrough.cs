using System.Buffers;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Fake quantization as an operation of autograd, with the straight-through gradient of <see cref="FakeQuantizer"/>. TorchSharp 0.107 cannot call ATen's.</summary>
internal sealed class StraightThrough : autograd.SingleTensorFunction<StraightThrough>
{
    /// <inheritdoc/>
    public override string Name => nameof(StraightThrough);

    /// <summary>Quantizes and dequantizes x.</summary>
    /// <param name="x">Float32 on the CPU.</param>
    /// <param name="grid">Scales, zero points and the range of codes.</param>
    /// <returns>A contiguous tensor of the same shape.</returns>
    /// <exception cref="ArgumentException">x holds a NaN, or is of another type or shape than the grid takes.</exception>
    public static Tensor Apply(Tensor x, QuantizationGrid grid)
    {
        if (!x.requires_grad || !is_grad_enabled())
            return WithoutGradient(x, grid);
        using var made = new SavedTensors();
        return apply(x, grid, made);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, grid, made) = ((Tensor)vars[0], (QuantizationGrid)vars[1], (SavedTensors)vars[2]);
        var outside = made.Keep(empty(x.shape, dtype: ScalarType.Int8, device: CPU));
        var y = made.Keep(empty(x.shape, dtype: ScalarType.Float32, device: CPU));
        Quantize(x, grid, y, outside.Span<sbyte>());
        ctx.save_for_backward([outside]);
        return y;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var outside = ctx.get_saved_variables()[0];
        using var gradient = grad_output; // ours: nobody else disposes it
        var dx = empty(gradient.shape, dtype: ScalarType.Float32, device: CPU);
        var source = gradient.Contiguous(out var copy);
        using (copy)
            FakeQuantizer.Backward(source.Span<float>(), outside.Span<sbyte>(), dx.Span<float>(), get_num_threads());
        return [dx, null!, null!];
    }

    private static Tensor WithoutGradient(Tensor x, QuantizationGrid grid)
    {
        var y = empty(x.shape, dtype: ScalarType.Float32, device: CPU);
        var length = checked((int)x.numel());
        var outside = ArrayPool<sbyte>.Shared.Rent(length);
        try
        {
            Quantize(x, grid, y, outside.AsSpan(0, length));
            return y;
        }
        catch
        {
            y.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<sbyte>.Shared.Return(outside);
        }
    }

    private static void Quantize(Tensor x, QuantizationGrid grid, Tensor y, Span<sbyte> outside)
    {
        var inner = grid.Inner(x);
        var source = x.Contiguous(out var copy);
        using (copy)
        {
            if (!FakeQuantizer.Forward(source.Span<float>(), y.Span<float>(), outside, grid.Scales, grid.ZeroPoints, inner, grid.QuantMin, grid.QuantMax, get_num_threads()))
                throw new ArgumentException("The values to fake-quantize hold NaN: has the training diverged? Look for the module that makes them, or lower the learning rate.", nameof(x));
        }

        GC.KeepAlive(x);
    }
}
