using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Models;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>ConvAdd and ConvAddReLU: in one step what the layers and the sum give in two.</summary>
public class ConvAddTests
{
    [Property(MaxTest = 60)]
    public Property Int8_in_one_step_has_the_codes_of_two_steps() => Prop.ForAll(Gen.OneOf(ConvolutionCases.Plain(1), ConvolutionCases.Plain(2), ConvolutionCases.Plain(3), ConvolutionCases.Depthwise()).ToArbitrary(), sample =>
    {
        using var scope = NewDisposeScope();
        var layer = sample.Layer(smallWeights: false);
        using var convolution = sample.Module(layer);
        var x = layer.Input();
        var shape = convolution.call(x).shape;
        manual_seed(sample.Seed);
        var scale = layer.OutputParams.Scale * 1.7f;
        using var sum = QFunctional.from_float(new StaticConversion("sum", quantization.default_qconfig, new FixedQParamsObserver(scale, sample.Seed % 256)));
        var contiguous = quantize_per_tensor(randn(shape) * scale * 60, scale * 0.7f, sample.Seed / 256 % 256, ScalarType.QUInt8);
        foreach (var added in new[] { contiguous, ChannelsLast.ToSecond(ChannelsLast.Of(contiguous)) })
        {
            AssertSame(sum.add(convolution.call(x), added), sum.ConvAdd(x, added, convolution));
            AssertSame(sum.add_relu(convolution.call(x), added), sum.ConvAddReLU(x, added, nn.Identity(), convolution, nn.Identity()));
        }
    });

    [Fact]
    public void An_addend_that_broadcasts_gives_the_codes_of_two_steps()
    {
        using var scope = NewDisposeScope();
        var (int8, x) = Converted();
        foreach (long[] shape in (long[][])[[1, 8, 1, 1], [2, 8, 1, 1], [8, 9, 7], [1]])
        {
            var added = quantize_per_tensor(randn(shape), 0.03f, 128, ScalarType.QUInt8);
            AssertSame(int8.sum.add_relu(int8.conv.call(x), added), int8.sum.ConvAddReLU(x, added, int8.conv, int8.bn));
        }
    }

    [Fact]
    public void Hooks_of_the_layers_run_and_change_no_code()
    {
        using var scope = NewDisposeScope();
        var (int8, x) = Converted();
        var skip = quantize_per_tensor(randn(2, 8, 9, 7), 0.03f, 128, ScalarType.QUInt8);
        var expected = int8.sum.ConvAddReLU(x, skip, int8.conv, int8.bn);
        foreach (var layer in (nn.Module<Tensor, Tensor>[])[int8.conv, int8.bn])
        {
            var calls = 0;
            var hooks = new[] { layer.register_forward_hook((_, _, output) => { calls++; return output; }), layer.register_forward_pre_hook(_ => calls++) };
            AssertSame(expected, int8.sum.ConvAddReLU(x, skip, int8.conv, int8.bn));
            Assert.Equal(2, calls);
            Array.ForEach(hooks, hook => hook.remove());
            AssertSame(expected, int8.sum.ConvAddReLU(x, skip, int8.conv, int8.bn));
            Assert.Equal(2, calls);
        }

        var around = nn.Sequential(int8.conv, int8.bn);
        var seen = 0;
        AssertSame(expected, int8.sum.ConvAddReLU(x, skip, around));
        around.register_forward_hook((_, _, output) => { seen++; return output; });
        AssertSame(expected, int8.sum.ConvAddReLU(x, skip, around));
        Assert.Equal(1, seen);
    }

    [Fact]
    public void Float_it_is_the_layers_and_the_sum()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var block = new Block();
        block.eval();
        using var functional = new FloatFunctional();
        var (x, skip) = (randn(2, 4, 9, 7), randn(2, 8, 9, 7));
        var y = block.bn.call(block.conv.call(x));
        Assert.Equal(y + skip, functional.ConvAdd(x, skip, block.conv, block.bn));
        Assert.Equal((y + skip).relu(), functional.ConvAddReLU(x, skip, block.conv, block.bn));
        var same = functional.ConvAdd(skip, skip, new Handed());
        Assert.Equal(skip + skip, same);
        Assert.False(skip.IsInvalid);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Models_give_the_same_codes_in_one_step_and_in_two(bool isMobileNet)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        manual_seed(3);
        using nn.Module<Tensor, Tensor> model = isMobileNet
            ? new MobileNetV2(num_classes: 10, inverted_residual_setting: [(1, 8, 1, 1), (4, 16, 2, 2), (4, 24, 3, 2)], stemChannels: 8, lastChannels: 40)
            : ResNet.resnet50(num_classes: 10, width: 8);
        model.eval();
        if (model is MobileNetV2 mobile)
            mobile.fuse_model();
        else
            ((ResNet)model).fuse_model();
        var x = randn(2, 3, 64, 64);
        var prepared = quantization.prepare(model, quantization.get_default_qconfig(), inplace: true);
        prepared.call(x);
        var int8 = quantization.convert(prepared, inplace: true);
        var expected = int8.call(x);
        var calls = 0;
        foreach (var convolution in int8.modules().OfType<QuantizedConvolution>())
            convolution.register_forward_hook((_, _, output) => { calls++; return output; });
        Assert.Equal(expected, int8.call(x));
        Assert.Equal(int8.modules().OfType<QuantizedConvolution>().Count(), calls);
    }

    [Fact]
    public void Arguments_that_are_missing_are_named()
    {
        using var scope = NewDisposeScope();
        using var functional = new FloatFunctional();
        var x = randn(1, 4, 5, 5);
        Assert.Contains("layers is empty; expected the convolution", Assert.Throws<ArgumentException>(() => functional.ConvAdd(x, x)).Message, StringComparison.Ordinal);
        Assert.Equal("x2", Assert.Throws<ArgumentNullException>(() => functional.ConvAddReLU(x, null!, nn.Identity())).ParamName);
        var (int8, input) = Converted();
        Assert.Contains("takes a quantized tensor, found Float32", Assert.Throws<ArgumentException>(() => int8.sum.ConvAdd(input, x, int8.conv)).Message, StringComparison.Ordinal);
        Assert.Contains("layers is empty", Assert.Throws<ArgumentException>(() => int8.sum.ConvAdd(input, input)).Message, StringComparison.Ordinal);
    }

    private static (Block Block, Tensor Input) Converted()
    {
        manual_seed(1);
        var block = new Block();
        block.eval();
        quantization.fuse_modules(block, [["conv", "bn"]], inplace: true);
        quantization.prepare(block, quantization.get_default_qconfig(), inplace: true);
        using (no_grad())
            block.call(randn(2, 4, 9, 7));
        quantization.convert(block, inplace: true);
        return (block, block.quant.call(randn(2, 4, 9, 7)));
    }

    private static void AssertSame(Tensor expected, Tensor found)
    {
        CodeAssert.Equal(expected.int_repr(), found);
        Assert.Equal((expected.q_scale(), expected.q_zero_point()), (found.q_scale(), found.q_zero_point()));
    }

    /// <summary>Gives its input itself.</summary>
    private sealed class Handed() : nn.Module<Tensor, Tensor>(nameof(Handed))
    {
        public override Tensor forward(Tensor input) => input;
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        public readonly QuantStub quant = new();
        public readonly nn.Module<Tensor, Tensor> conv = nn.Conv2d(4, 8, 3, padding: 1, bias: false), bn = nn.BatchNorm2d(8), skip = nn.Conv2d(4, 8, 1);
        public readonly FloatFunctional sum = new();
        public readonly DeQuantStub dequant = new();

        public Block() : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var x = quant.call(input);
            using var other = skip.call(x);
            using var y = sum.ConvAddReLU(x, other, conv, bn);
            return dequant.call(y);
        }
    }
}
