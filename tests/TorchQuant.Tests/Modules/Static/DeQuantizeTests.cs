using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

public class DeQuantizeTests
{
    private static readonly DeQuantize s_module = DeQuantize.from_float(new StaticConversion("dequant", quantization.get_default_qconfig(), null));

    [Property(EndSize = 1_000_000, MaxTest = 150)]
    public void Values_are_those_of_libtorch_to_the_bit_and_the_order_in_memory_stays(int seed)
    {
        using var scope = NewDisposeScope();
        var random = new Random(seed);
        var qparams = RandomCodes.QParams(seed);
        var dimensions = random.Next(0, 7);
        long[] shape = [.. Enumerable.Range(0, dimensions).Select(d => (long)random.Next(d == 0 ? 0 : 1, d == 1 ? 20 : 7))];
        using var generator = new Generator((ulong)(uint)seed);
        var real = randn(shape, generator: generator) * (qparams.Scale * 100);
        foreach (var type in new[] { ScalarType.QUInt8, ScalarType.QInt8, ScalarType.QInt32 })
        {
            var plain = quantize_per_tensor(real, qparams.Scale, type == ScalarType.QInt8 ? qparams.ZeroPoint - 128 : qparams.ZeroPoint, type);
            foreach (var x in dimensions is >= 3 and <= 5 ? new[] { plain, ChannelsLast.ToSecond(ChannelsLast.Of(plain)), plain.transpose(-1, -2) } : [plain])
            {
                using var y = s_module.call(x);
                using var expected = x.dequantize();
                Assert.Equal(expected.shape, y.shape);
                Assert.Equal(Bits(expected), Bits(y));
                if (CodeOrder.LiesChannelsLast(x, dimensions) && type != ScalarType.QInt32)
                    Assert.True(CodeOrder.LiesChannelsLast(y, dimensions), $"{type} [{string.Join(", ", shape)}] gives up channels last");
            }
        }
    }

    [Fact]
    public void Tensors_with_a_scale_for_each_channel_are_libtorchs()
    {
        using var scope = NewDisposeScope();
        var x = quantize_per_channel(arange(12, dtype: ScalarType.Float32).reshape(3, 4), tensor(new[] { 0.1, 0.5, 2 }), tensor(new long[] { 3, 0, 9 }), 0, ScalarType.QUInt8);
        Assert.Equal(Bits(x.dequantize()), Bits(s_module.call(x)));
    }

    [Fact]
    public void Large_tensors_are_shared_by_threads_to_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var x = quantize_per_tensor(randn([3, 7, 91, 83], generator: generator), 0.03, 131, ScalarType.QUInt8);
        Assert.Equal(Bits(x.dequantize()), Bits(s_module.call(x)));
    }

    [Fact]
    public void What_is_no_quantized_tensor_is_refused()
    {
        using var x = zeros(3);
        Assert.Contains("dequant (DeQuantize) takes a quantized tensor, found Float32", Assert.Throws<ArgumentException>(() => s_module.call(x)).Message);
    }

    private static int[] Bits(Tensor values)
    {
        using var contiguous = values.contiguous();
        return contiguous.Span<int>().ToArray();
    }
}
