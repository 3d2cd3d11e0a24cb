using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Observers;

public class PlaceholderObserverTests
{
    [Fact]
    public void It_passes_everything_and_has_no_qparams()
    {
        using var observer = new PlaceholderObserver(qdtype.quint8, is_dynamic: true);
        using var x = tensor([1f, float.NaN]);
        using var y = observer.call(x);
        Assert.Equal(1f, y[0].item<float>());
        Assert.Contains("observes nothing", Assert.Throws<InvalidOperationException>(() => observer.calculate_qparams()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reduce_range_belongs_to_dynamic_quint8()
    {
        Assert.Throws<ArgumentException>(() => new PlaceholderObserver(qdtype.quint8, reduce_range: true));
        Assert.Throws<ArgumentException>(() => new PlaceholderObserver(qdtype.float16, is_dynamic: true, reduce_range: true));
        using var observer = new PlaceholderObserver(qdtype.quint8, is_dynamic: true, reduce_range: true);
        Assert.True(observer.reduce_range);
    }

    [Fact]
    public void A_factory_makes_new_observers_and_says_what_they_are()
    {
        var factory = MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric);
        using var first = factory.Create();
        using var second = factory.Create();
        Assert.NotSame(first, second);
        Assert.Equal("MinMaxObserver(dtype=qint8, qscheme=per_tensor_symmetric, reduce_range=False, quant_min=-128, quant_max=127)", factory.ToString());
        Assert.Throws<InvalidOperationException>(() => new ObserverFactory(() => null!).Create());
    }
}

public class QDtypeTests
{
    [Fact]
    public void The_default_is_qint8_and_ScalarTypes_convert()
    {
        Assert.Equal(qdtype.qint8, default);
        Assert.Equal(qdtype.qint8, (qdtype)ScalarType.QInt8);
        Assert.Equal(qdtype.qint8, (qdtype)ScalarType.Int8);
        Assert.Equal(qdtype.quint8, (qdtype)ScalarType.QUInt8);
        Assert.Equal(qdtype.quint8, (qdtype)ScalarType.Byte);
        Assert.Equal(qdtype.qint32, (qdtype)ScalarType.QInt32);
        Assert.Equal(qdtype.float16, (qdtype)ScalarType.Float16);
        Assert.Equal(qdtype.float32, (qdtype)ScalarType.Float32);
        Assert.Contains("Int64", Assert.Throws<ArgumentException>(() => (qdtype)ScalarType.Int64).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_ranges_and_bits_are_PyTorchs()
    {
        Assert.Equal("quint4x2", qdtype.quint4x2.ToString());
        Assert.Equal((0, 15), qdtype.quint4x2.Range);
        Assert.Equal((-128, 127), qdtype.qint8.Range);
        Assert.Equal((0, 255), qdtype.quint8.Range);
        Assert.Equal([8, 8, 32, 4, 16, 32], new[] { qdtype.qint8, qdtype.quint8, qdtype.qint32, qdtype.quint4x2, qdtype.float16, qdtype.float32 }.Select(d => d.Bits));
        Assert.Throws<InvalidOperationException>(() => qdtype.float16.Range);
    }
}
