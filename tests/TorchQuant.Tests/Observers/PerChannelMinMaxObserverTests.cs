using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

public class PerChannelMinMaxObserverTests
{
    private static Tensor Data => tensor(new float[,] { { -1, 3, 0 }, { 0.5f, 2, 1 } });

    [Fact]
    public void Each_row_is_what_a_MinMaxObserver_says_of_it()
    {
        using var scope = NewDisposeScope();
        foreach (var (perChannel, perTensor) in new[] { (qscheme.per_channel_affine, qscheme.per_tensor_affine), (qscheme.per_channel_symmetric, qscheme.per_tensor_symmetric) })
        {
            using var all = new PerChannelMinMaxObserver(dtype: qdtype.qint8, qscheme: perChannel);
            all.call(Data);
            var (scales, zeroPoints) = all.calculate_qparams();
            Assert.Equal([2L], scales.shape);
            for (var row = 0; row < 2; row++)
            {
                using var one = new MinMaxObserver(qdtype.qint8, perTensor);
                one.call(Data[row]);
                var (scale, zeroPoint) = one.calculate_qparams();
                Assert.Equal(scale.item<float>(), scales[row].item<float>());
                Assert.Equal(zeroPoint.item<long>(), zeroPoints[row].item<long>());
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void The_axis_of_the_channels_can_be_any(int axis)
    {
        using var scope = NewDisposeScope();
        using var observer = new PerChannelMinMaxObserver(axis, qdtype.qint8, qscheme.per_channel_symmetric);
        observer.call(Data);
        Assert.Equal([-1f, 2f, 0f], observer.min_val.data<float>().ToArray());
        Assert.Equal([0.5f, 3f, 1f], observer.max_val.data<float>().ToArray());
    }

    [Fact]
    public void Float_qparams_do_not_widen_the_range_to_zero_and_give_equal_values_scale_one()
    {
        using var scope = NewDisposeScope();
        using var observer = new PerChannelMinMaxObserver(dtype: qdtype.quint8, qscheme: qscheme.per_channel_affine_float_qparams);
        observer.call(tensor(new float[,] { { 1, 2, 1.5f }, { 7, 7, 7 }, { -1, 3, 0 } }));
        var (scales, zeroPoints) = observer.calculate_qparams();
        Assert.Equal([1f / 255, 1f, 4f / 255], scales.data<float>().ToArray());
        Assert.Equal([-1f / (1f / 255), -7f, 1f / (4f / 255)], zeroPoints.data<float>().ToArray());
    }

    [Fact]
    public void Later_batches_widen_each_channel()
    {
        using var scope = NewDisposeScope();
        using var observer = new PerChannelMinMaxObserver();
        observer.call(Data);
        observer.call(tensor(new float[,] { { 0, 4 }, { 1, -1 } }));
        Assert.Equal([-1f, -1f], observer.min_val.data<float>().ToArray());
        Assert.Equal([4f, 2f], observer.max_val.data<float>().ToArray());
    }

    [Fact]
    public void What_has_no_range_or_no_such_axis_is_refused()
    {
        using var scope = NewDisposeScope();
        using var observer = new PerChannelMinMaxObserver();
        Assert.Throws<InvalidOperationException>(() => observer.calculate_qparams());
        Assert.Throws<ArgumentException>(() => observer.call(tensor(new float[,] { { 1, float.NaN } })));
        observer.call(Data);
        Assert.Contains("observed 2 channels", Assert.Throws<ArgumentException>(() => observer.call(ones(3, 3))).Message, StringComparison.Ordinal);
        using var third = new PerChannelMinMaxObserver(2);
        Assert.Contains("[2, 3]", Assert.Throws<ArgumentException>(() => third.call(Data)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new PerChannelMinMaxObserver(qscheme: qscheme.per_tensor_affine));
    }
}
