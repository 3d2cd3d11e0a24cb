using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>QFunctional: the order of memory that it keeps, what it refuses, matmul and the facts about numbers.</summary>
public sealed class QFunctionalTests : IDisposable
{
    private readonly QFunctional _module = QFunctional.from_float(new StaticConversion("block.skip", quantization.default_qconfig, new FixedQParamsObserver(0.05f, 100)));

    public void Dispose() => _module.Dispose();

    [Fact]
    public void Channels_last_stays_channels_last_and_contiguous_stays_contiguous()
    {
        using var scope = NewDisposeScope();
        var contiguous = Codes(2, 5, 4, 3);
        var last = ChannelsLast.ToSecond(ChannelsLast.Of(contiguous));
        var factor = Codes(2, 5, 1, 1);
        foreach (var result in new[] { _module.add(last, last), _module.mul(last, contiguous), _module.add_relu(contiguous, last), _module.mul(last, factor), _module.mul(factor, last), _module.cat([last, last], 1), _module.cat([last, contiguous], -1), _module.add_scalar(last, 1), _module.mul_scalar(last, -2) })
        {
            Assert.False(result.is_contiguous());
            Assert.True(ChannelsLast.ViewOf(result).is_contiguous());
        }
        foreach (var result in new[] { _module.add(contiguous, contiguous), _module.mul(contiguous, factor), _module.cat([contiguous, contiguous], 1), _module.add_scalar(contiguous, 1), _module.mul_scalar(contiguous, -2) })
            Assert.True(result.is_contiguous());
    }

    [Fact]
    public void Matmul_is_dequantize_multiply_quantize()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (Codes(2, 3, 4), Codes(2, 4, 5));
        var expected = quantize_per_tensor(x.dequantize().matmul(y.dequantize()), 0.05f, 100, ScalarType.QUInt8);
        Assert.Equal(expected.int_repr(), _module.matmul(x, y).int_repr());
    }

    [Fact]
    public void Numbers_move_the_zero_point_and_change_the_scale_as_PyTorch_documents()
    {
        using var scope = NewDisposeScope();
        var x = quantize_per_tensor(linspace(-3, 9.75f, 256), 0.05f, 60, ScalarType.QUInt8);
        var sum = _module.add_scalar(x, 1.0);
        Assert.Equal((x.q_scale(), 40), (sum.q_scale(), sum.q_zero_point()));
        Assert.Equal(x.int_repr(), sum.int_repr());
        var mirrored = _module.mul_scalar(x, -2.0);
        Assert.Equal((2 * (float)x.q_scale(), 195), ((float)mirrored.q_scale(), mirrored.q_zero_point()));
        Assert.Equal(255 - x.int_repr(), mirrored.int_repr());
        var nothing = _module.mul_scalar(x, 0);
        Assert.Equal((1.0, 0L, (byte)0), (nothing.q_scale(), nothing.q_zero_point(), nothing.int_repr().max().item<byte>()));
        var beyond = _module.add_scalar(x, 100);
        Assert.Equal(0, beyond.q_zero_point());
        Assert.InRange((beyond.dequantize() - x.dequantize() - 100).abs().max().item<float>(), 0, (float)beyond.q_scale());
    }

    [Fact]
    public void What_cannot_be_computed_is_refused_with_the_modules_name()
    {
        using var scope = NewDisposeScope();
        var x = Codes(2, 3);
        Refused(() => _module.add(x, Codes(2, 4)), "block.skip (QFunctional): the shapes [2, 3] and [2, 4] do not broadcast");
        Refused(() => _module.mul(x, randn(2, 3)), "block.skip (QFunctional) takes a quantized tensor, found Float32: a QuantStub is missing");
        Refused(() => _module.cat([], 0), "block.skip (QFunctional): cat was given no tensor");
        Refused(() => _module.cat([x, Codes(3, 2)], 1), "cat along dimension 1 of [2, 3] and [3, 2]; all other dimensions must be equal");
        Refused(() => _module.cat([x], 2), "cat along dimension 2 of tensors of the shape [2, 3]; expected -2 to 1");
        Refused(() => _module.matmul(x, x), "block.skip (QFunctional): matmul of [2, 3] and [2, 3]");
        Refused(() => _module.matmul(Codes(2, 4, 3), Codes(3, 3, 5)), "matmul of [2, 4, 3] and [3, 3, 5]; the last dimension"); // libtorch's own refusal would end the process
        using var inFloat = new FloatFunctional();
        Refused(() => inFloat.matmul(randn(2, 3), randn(2, 3)), "FloatFunctional: matmul of [2, 3] and [2, 3]");
        Refused(() => _module.add_scalar(x, double.NaN), "the number is NaN; expected a finite one");
        Refused(() => _module.add_scalar(x, 1e30), "times the input's scale");
        Refused(() => _module.mul_scalar(x, 1e-60), "block.skip.scale is 0; expected a positive finite number");
        Refused(() => _module.mul_scalar(randn(3), 2), "block.skip (QFunctional) takes a quantized tensor");
    }

    [Fact]
    public void Empty_tensors_pass()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([0L, 3], _module.add(Codes(0, 3), Codes(0, 3)).shape);
        Assert.Equal([0L, 3], _module.mul(Codes(0, 3), Codes(3)).shape);
        Assert.Equal([2L, 3], _module.cat([Codes(2, 0), Codes(2, 3)], 1).shape);
        Assert.Equal([0L], _module.add_scalar(Codes(0), 1).shape);
    }

    private static void Refused(Action action, string words) => Assert.Contains(words, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static Tensor Codes(params long[] shape)
    {
        using var random = new Generator(7);
        return quantize_per_tensor(randn(shape, generator: random), 0.03, 90, ScalarType.QUInt8);
    }
}
