using FsCheck.Xunit;
using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

public class QuantizeTests
{
    [Property(EndSize = 1_000_000, MaxTest = 150)]
    public void Codes_are_those_of_libtorch_for_every_order_of_memory_and_the_channels_come_out_last(int seed)
    {
        using var scope = NewDisposeScope();
        var random = new Random(seed);
        var qparams = RandomCodes.QParams(seed);
        using var module = Of(qparams);
        var dimensions = random.Next(1, 7);
        long[] shape = [.. Enumerable.Range(0, dimensions).Select(d => (long)random.Next(d == 0 ? 0 : 1, d == 1 ? 20 : 7))];
        using var generator = new Generator((ulong)(uint)seed);
        var x = randn(shape, generator: generator) * (qparams.Scale * 100);
        foreach (var input in dimensions is >= 3 and <= 5 ? new[] { x, ChannelsLast.ToSecond(ChannelsLast.Of(x)), x.transpose(-1, -2).contiguous().transpose(-1, -2) } : [x, x.flip(0)])
        {
            using var y = module.call(input);
            using var expected = quantize_per_tensor(input.contiguous(), qparams.Scale, qparams.ZeroPoint, ScalarType.QUInt8);
            Assert.Equal(shape, y.shape);
            Assert.Equal(qparams, new QParams((float)y.q_scale(), (int)y.q_zero_point()));
            Assert.Equal(ElementwiseOracle.Codes(expected), ElementwiseOracle.Codes(y));
            using var inMemory = dimensions is >= 3 and <= 5 ? ChannelsLast.ViewOf(y) : y.alias();
            Assert.True(inMemory.is_contiguous(), $"[{string.Join(", ", shape)}] does not have its channels last");
        }
    }

    [Fact]
    public void Pictures_that_threads_share_have_the_codes_of_libtorch()
    {
        using var scope = NewDisposeScope();
        var qparams = new QParams(0.02f, 117);
        using var module = Of(qparams);
        using var generator = new Generator(5);
        foreach (var shape in new long[][] { [2, 3, 97, 113], [1, 37, 61, 53], [2, 5, 7, 41, 29] })
        {
            var x = randn(shape, generator: generator);
            Assert.Equal(ElementwiseOracle.Codes(quantize_per_tensor(x, qparams.Scale, qparams.ZeroPoint, ScalarType.QUInt8)), ElementwiseOracle.Codes(module.call(x)));
        }
    }

    private static Quantize Of(QParams qparams) =>
        Quantize.from_float(new StaticConversion("quant", quantization.get_default_qconfig(), new FixedQParamsObserver(qparams.Scale, qparams.ZeroPoint)));
}
