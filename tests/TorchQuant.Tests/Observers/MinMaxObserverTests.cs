using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

public class MinMaxObserverTests
{
    // Computed with PyTorch 1.13.1 for the data {-1, 3}.
    [Theory]
    [InlineData("quint8", qscheme.per_tensor_affine, false, 0.015686275f, 64)]
    [InlineData("quint8", qscheme.per_tensor_affine, true, 0.031496063f, 32)]
    [InlineData("qint8", qscheme.per_tensor_affine, false, 0.015686275f, -64)]
    [InlineData("qint8", qscheme.per_tensor_symmetric, false, 0.023529412f, 0)]
    [InlineData("quint8", qscheme.per_tensor_symmetric, false, 0.023529412f, 128)]
    public void Scale_and_zero_point_are_PyTorchs(string dtype, qscheme scheme, bool reduceRange, float scale, int zeroPoint)
    {
        using var observer = new MinMaxObserver(dtype == "qint8" ? qdtype.qint8 : qdtype.quint8, scheme, reduceRange);
        Observe(observer, -1, 3);
        Assert.Equal((scale, zeroPoint), QParamsOf(observer));
    }

    [Fact]
    public void Given_range_has_its_own_middle_as_symmetric_zero_point()
    {
        using var observer = new MinMaxObserver(qdtype.quint8, qscheme.per_tensor_symmetric, quant_min: 0, quant_max: 127);
        Observe(observer, -1, 3);
        Assert.Equal((3f / 63.5f, 63), QParamsOf(observer));
    }

    [Fact]
    public void Given_range_minus_127_to_127_divides_by_127()
    {
        using var observer = new MinMaxObserver(qdtype.qint8, qscheme.per_tensor_symmetric, quant_min: -127, quant_max: 127);
        Observe(observer, -1, 3);
        Assert.Equal((3f / 127f, 0), QParamsOf(observer));
    }

    [Fact]
    public void Reduce_range_halves_the_codes()
    {
        using var signed = new MinMaxObserver(qdtype.qint8, reduce_range: true);
        using var unsigned = new MinMaxObserver(qdtype.quint8, reduce_range: true);
        Assert.Equal((-64, 63), (signed.quant_min, signed.quant_max));
        Assert.Equal((0, 127), (unsigned.quant_min, unsigned.quant_max));
    }

    [Fact]
    public void All_zero_data_give_the_smallest_scale()
    {
        using var observer = new MinMaxObserver(qdtype.qint8, qscheme.per_tensor_symmetric);
        Observe(observer, 0, 0);
        Assert.Equal((1.1920929e-07f, 0), QParamsOf(observer));
        using var coarse = new MinMaxObserver(qdtype.qint8, qscheme.per_tensor_symmetric, eps: 1f / 4096);
        Observe(coarse, 0, 0);
        Assert.Equal((1f / 4096, 0), QParamsOf(coarse));
    }

    [Property]
    public void Observing_in_two_batches_equals_observing_in_one(float[] first, float[] second)
    {
        var (a, b) = (Finite(first), Finite(second));
        using var scope = NewDisposeScope();
        using var apart = new MinMaxObserver(qdtype.qint8);
        using var together = new MinMaxObserver(qdtype.qint8);
        apart.call(tensor(a));
        apart.call(tensor(b));
        together.call(tensor(a.Concat(b).ToArray()));
        Assert.Equal(together.min_val.item<float>(), apart.min_val.item<float>());
        Assert.Equal(together.max_val.item<float>(), apart.max_val.item<float>());
        if (a.Length + b.Length > 0)
            Assert.Equal(QParamsOf(together), QParamsOf(apart));
    }

    [Property]
    public void Zero_maps_to_a_code_exactly(float low, float high)
    {
        if (!float.IsFinite(low) || !float.IsFinite(high) || MathF.Abs(low) > 1e30f || MathF.Abs(high) > 1e30f)
            return;
        using var observer = new MinMaxObserver();
        Observe(observer, MathF.Min(low, high), MathF.Max(low, high));
        Assert.InRange(QParamsOf(observer).Item2, 0, 255);
    }

    [Fact]
    public void The_input_passes_unchanged_and_outlives_the_observers_own_tensors()
    {
        using var observer = new MinMaxObserver();
        using var x = tensor([1f, 2f]);
        using (var y = observer.call(x))
            Assert.Equal([1f, 2f], y.data<float>().ToArray());
        Assert.Equal([1f, 2f], x.data<float>().ToArray());
    }

    [Fact]
    public void An_empty_input_is_not_recorded_and_an_observer_that_saw_nothing_refuses()
    {
        using var observer = new MinMaxObserver();
        using var none = empty(0);
        observer.call(none).Dispose();
        var refused = Assert.Throws<InvalidOperationException>(() => observer.calculate_qparams());
        Assert.Contains("MinMaxObserver has observed nothing", refused.Message, StringComparison.Ordinal);
        Assert.Contains("run the model on data", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Values_without_a_range_are_refused_and_not_recorded(float value)
    {
        using var observer = new MinMaxObserver();
        Observe(observer, -1, 3);
        Assert.Throws<ArgumentException>(() => Observe(observer, 0, value));
        Assert.Equal((0.015686275f, 64), QParamsOf(observer));
    }

    [Fact]
    public void Statistics_live_in_the_state_dict()
    {
        using var observer = new MinMaxObserver();
        using var other = new MinMaxObserver();
        Observe(observer, -1, 3);
        Assert.Equal(["max_val", "min_val"], observer.state_dict().Keys.Order());
        other.load_state_dict(observer.state_dict());
        Assert.Equal(QParamsOf(observer), QParamsOf(other));
    }

    [Fact]
    public void Statistics_outlive_the_dispose_scope_they_were_made_in()
    {
        using var observer = new MinMaxObserver();
        using (NewDisposeScope())
            Observe(observer, -1, 3);
        Assert.Equal((0.015686275f, 64), QParamsOf(observer));
    }

    [Fact]
    public void Settings_that_contradict_each_other_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(qdtype.float16));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(qscheme: qscheme.per_channel_affine));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(qdtype.quint8, qscheme.per_tensor_symmetric, reduce_range: true));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(qdtype.quint4x2, qscheme.per_tensor_symmetric));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(qdtype.qint32, reduce_range: true));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(quant_min: 0));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(quant_min: 1, quant_max: 5));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(quant_min: 0, quant_max: 256));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(quant_min: 0, quant_max: 0));
        Assert.Throws<ArgumentException>(() => new MinMaxObserver(eps: 0));
    }

    internal static void Observe(nn.Module<Tensor, Tensor> observer, params float[] values)
    {
        using var x = tensor(values);
        observer.call(x).Dispose();
    }

    private static (float, int) QParamsOf(ObserverBase observer)
    {
        var (scale, zeroPoint) = observer.calculate_qparams();
        using (scale)
        using (zeroPoint)
        {
            Assert.Equal([1L], scale.shape);
            Assert.Equal(ScalarType.Int64, zeroPoint.dtype);
            return (scale.item<float>(), (int)zeroPoint.item<long>());
        }
    }

    private static float[] Finite(float[]? values) => [.. (values ?? []).Where(v => float.IsFinite(v) && MathF.Abs(v) < 1e30f)];
}
