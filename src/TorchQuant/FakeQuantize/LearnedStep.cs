using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Fake quantization that learns its grid, as an operation of autograd: for x, scale s and zero point z with y = fake_quantize(x), and g the gradient of y,
/// dx = g within the range and 0 outside; ds = sum g (y - x) / s within, g (quant_min - z) below, g (quant_max - z) above; dz = sum -g s outside, 0 within; ds and dz times a factor
/// (Esser et al. 2020, "Learned step size quantization", and Jain et al. 2020 for the zero point).
/// </summary>
internal sealed class LearnedStep : autograd.SingleTensorFunction<LearnedStep>
{
    private const string Factor = "factor", Axis = "axis";

    /// <inheritdoc/>
    public override string Name => nameof(LearnedStep);

    /// <summary>Quantizes and dequantizes x.</summary>
    /// <param name="x">Float32 on the CPU.</param>
    /// <param name="scale">[1] or [channels], of the grid's values.</param>
    /// <param name="zeroPoint">As many; float, since it is learned.</param>
    /// <param name="grid">The same scales, the rounded zero points, and the range of codes.</param>
    /// <param name="factor">Multiplies the gradients of scale and zero point.</param>
    public static Tensor Apply(Tensor x, Tensor scale, Tensor zeroPoint, QuantizationGrid grid, double factor)
    {
        using var made = new SavedTensors();
        return apply(x, scale, zeroPoint, grid, factor, made);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, scale, grid, made) = ((Tensor)vars[0], (Tensor)vars[1], (QuantizationGrid)vars[3], (SavedTensors)vars[5]);
        var inner = grid.Inner(x);
        var source = made.Keep(x.contiguous());
        var outside = made.Keep(empty(x.shape, dtype: ScalarType.Int8, device: CPU));
        var y = made.Keep(empty(x.shape, dtype: ScalarType.Float32, device: CPU));
        if (!FakeQuantizer.Forward(source.Span<float>(), y.Span<float>(), outside.Span<sbyte>(), grid.Scales, grid.ZeroPoints, inner, grid.QuantMin, grid.QuantMax, get_num_threads()))
            throw new ArgumentException("The values to fake-quantize hold NaN: has the training diverged? Look for the module that makes them, or lower the learning rate.", nameof(vars));
        ctx.save_data(Factor, vars[4]);
        ctx.save_data(Axis, grid.Axis is int axis ? (axis < 0 ? axis + (int)x.dim() : axis) : -1);
        ctx.save_for_backward([source, made.Keep(y.alias()), outside, scale]);
        return y;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var noGrad = no_grad();
        using var gradient = grad_output; // ours: nobody else disposes it
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (x, y, outside, scale) = (saved[0], saved[1], saved[2], saved[3]);
        var (axis, factor) = ((int)ctx.get_data(Axis), (double)ctx.get_data(Factor));
        long[] over = [.. Enumerable.Range(0, (int)x.dim()).Where(d => d != axis).Select(d => (long)d)];
        Tensor PerChannel(Tensor sum) => sum.mul_(factor).reshape(scale.shape);
        var isOutside = outside.ne(0).to(ScalarType.Float32);
        var isInside = 1 - isOutside;
        long[] broadcast = [.. Enumerable.Range(0, (int)x.dim()).Select(d => d == axis ? scale.numel() : 1L)];
        var step = scale.reshape(axis < 0 ? [1] : broadcast);
        var dx = gradient * isInside;
        var ds = (gradient * (y - (x * isInside)) / step).sum(over);
        var dz = (gradient * isOutside * -step).sum(over);
        return [dx.MoveToOuterDisposeScope(), PerChannel(ds).MoveToOuterDisposeScope(), PerChannel(dz).MoveToOuterDisposeScope(), null!, null!, null!];
    }
}
