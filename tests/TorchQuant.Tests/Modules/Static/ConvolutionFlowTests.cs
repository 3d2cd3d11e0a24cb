using TorchQuant.Modules;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>From float convolutions by prepare and convert to int8 modules: which, with what options, and how near.</summary>
public class ConvolutionFlowTests
{
    private static readonly Dictionary<string, (Func<nn.Module<Tensor, Tensor>> Make, long[] Input, string Printed)> Layers = new()
    {
        ["Conv1d"] = (() => nn.Conv1d(3, 5, 4, stride: 2), [2, 3, 11], "QuantizedConv1d(3, 5, kernel_size=(4,), stride=(2,), S)"),
        ["ConvReLU1d"] = (() => new ConvReLU1d(nn.Conv1d(3, 5, 3, padding: 1, bias: false), nn.ReLU()), [2, 3, 11], "QuantizedConvReLU1d(3, 5, kernel_size=(3,), stride=(1,), S, padding=(1,), bias=False)"),
        ["Conv1dReLU6"] = (() => new Conv1dReLU6(nn.Conv1d(3, 5, 3), nn.ReLU6()), [2, 3, 11], "QuantizedConv1dReLU6(3, 5, kernel_size=(3,), stride=(1,), S)"),
        ["Conv1dHardswish"] = (() => new Conv1dHardswish(nn.Conv1d(3, 5, 3), nn.Hardswish()), [2, 3, 11], "QuantizedConv1dHardswish(3, 5, kernel_size=(3,), stride=(1,), S)"),
        ["Conv2d"] = (() => nn.Conv2d(3, 8, 3, padding: 1), [2, 3, 9, 7], "QuantizedConv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), S, padding=(1, 1))"),
        ["depthwise"] = (() => nn.Conv2d(16, 16, 3, padding: 1, stride: 2, groups: 16), [2, 16, 9, 7], "QuantizedConv2d(16, 16, kernel_size=(3, 3), stride=(2, 2), S, padding=(1, 1), groups=16)"),
        ["dilated, grouped"] = (() => nn.Conv2d(6, 4, (3, 2), dilation: (1, 2), groups: 2), [2, 6, 9, 7], "QuantizedConv2d(6, 4, kernel_size=(3, 2), stride=(1, 1), S, dilation=(1, 2), groups=2)"),
        ["same"] = (() => nn.Conv2d(3, 4, (4, 3), padding: Padding.Same), [2, 3, 9, 7], "QuantizedConv2d(3, 4, kernel_size=(4, 3), stride=(1, 1), S, padding=((1, 2), (1, 1)))"),
        ["valid"] = (() => nn.Conv2d(3, 4, 3, padding: Padding.Valid), [2, 3, 9, 7], "QuantizedConv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), S)"),
        ["reflect"] = (() => nn.Conv2d(3, 4, 3, padding: 2, padding_mode: PaddingModes.Reflect), [2, 3, 9, 7], "QuantizedConv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), S, padding=(2, 2), padding_mode=reflect)"),
        ["replicate"] = (() => nn.Conv2d(3, 4, 3, padding: 2, padding_mode: PaddingModes.Replicate), [2, 3, 9, 7], "QuantizedConv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), S, padding=(2, 2), padding_mode=replicate)"),
        ["circular"] = (() => nn.Conv2d(3, 4, 3, padding: 2, padding_mode: PaddingModes.Circular), [2, 3, 9, 7], "QuantizedConv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), S, padding=(2, 2), padding_mode=circular)"),
        // TorchSharp pads the dimensions the other way round here, and so does the int8 module.
        ["same, reflect"] = (() => nn.Conv2d(3, 4, (5, 2), padding: Padding.Same, padding_mode: PaddingModes.Reflect), [2, 3, 9, 7], "QuantizedConv2d(3, 4, kernel_size=(5, 2), stride=(1, 1), S, padding=((0, 1), (2, 2)), padding_mode=reflect)"),
        ["ConvReLU2d"] = (() => new ConvReLU2d(nn.Conv2d(3, 8, 3), nn.ReLU()), [2, 3, 9, 7], "QuantizedConvReLU2d(3, 8, kernel_size=(3, 3), stride=(1, 1), S)"),
        ["Conv2dReLU6"] = (() => new Conv2dReLU6(nn.Conv2d(3, 8, 3), nn.ReLU6()), [2, 3, 9, 7], "QuantizedConv2dReLU6(3, 8, kernel_size=(3, 3), stride=(1, 1), S)"),
        ["Conv2dHardswish"] = (() => new Conv2dHardswish(nn.Conv2d(3, 8, 3), nn.Hardswish()), [2, 3, 9, 7], "QuantizedConv2dHardswish(3, 8, kernel_size=(3, 3), stride=(1, 1), S)"),
        ["Conv3d"] = (() => nn.Conv3d(2, 5, (1, 3, 2), padding: (0, 1, 1)), [2, 2, 3, 5, 4], "QuantizedConv3d(2, 5, kernel_size=(1, 3, 2), stride=(1, 1, 1), S, padding=(0, 1, 1))"),
        ["ConvReLU3d"] = (() => new ConvReLU3d(nn.Conv3d(2, 5, 3), nn.ReLU()), [2, 2, 3, 5, 4], "QuantizedConvReLU3d(2, 5, kernel_size=(3, 3, 3), stride=(1, 1, 1), S)"),
        ["Conv3dReLU6"] = (() => new Conv3dReLU6(nn.Conv3d(2, 5, 3), nn.ReLU6()), [2, 2, 3, 5, 4], "QuantizedConv3dReLU6(2, 5, kernel_size=(3, 3, 3), stride=(1, 1, 1), S)"),
        ["Conv3dHardswish"] = (() => new Conv3dHardswish(nn.Conv3d(2, 5, 3), nn.Hardswish()), [2, 2, 3, 5, 4], "QuantizedConv3dHardswish(2, 5, kernel_size=(3, 3, 3), stride=(1, 1, 1), S)"),
        ["ConvTranspose1d"] = (() => nn.ConvTranspose1d(6, 4, 3, stride: 2, output_padding: 1), [2, 6, 5], "QuantizedConvTranspose1d(6, 4, kernel_size=(3,), stride=(2,), S, output_padding=(1,))"),
        ["ConvTranspose2d"] = (() => nn.ConvTranspose2d(6, 4, 3, stride: 2, padding: 1, groups: 2), [2, 6, 5, 4], "QuantizedConvTranspose2d(6, 4, kernel_size=(3, 3), stride=(2, 2), S, padding=(1, 1), groups=2)"),
        // TorchSharp takes the first output padding for all dimensions, and so does the int8 module.
        ["output padding"] = (() => nn.ConvTranspose2d(6, 4, (3, 3), stride: (2, 2), output_padding: (1, 0)), [2, 6, 5, 4], "QuantizedConvTranspose2d(6, 4, kernel_size=(3, 3), stride=(2, 2), S, output_padding=(1, 1))"),
        ["ConvTranspose3d"] = (() => nn.ConvTranspose3d(6, 4, 3, dilation: 2), [2, 6, 3, 2, 2], "QuantizedConvTranspose3d(6, 4, kernel_size=(3, 3, 3), stride=(1, 1, 1), S, dilation=(2, 2, 2))"),
    };

    public static TheoryData<string> Kinds => [.. Layers.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_converted_layer_is_near_the_float_layer_and_prints_its_options(string kind)
    {
        using var scope = NewDisposeScope();
        var (_, input, printed) = Layers[kind];
        var (expected, int8, data) = Converted(kind, quantization.get_default_qconfig());
        var layer = (StaticQuantizedModule)int8[1];
        Assert.Equal(printed.Replace(", S", FormattableString.Invariant($", scale={layer.scale}, zero_point={layer.zero_point}"), StringComparison.Ordinal), layer.ToString());
        var actual = int8.call(data);
        Assert.Equal(expected.shape, actual.shape);
        // Half a step of the output, and what half a step of each input and weight adds up to: 2 % of the range is several times the latter for these layers.
        var range = (expected.amax() - expected.amin()).item<float>();
        Assert.InRange((actual - expected).abs().max().item<float>(), float.Epsilon, 0.02f * range + layer.scale);
        Assert.Equal(input.Length, actual.dim());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_state_that_was_saved_and_loaded_gives_the_same_bits(string kind)
    {
        using var scope = NewDisposeScope();
        var (_, int8, data) = Converted(kind, quantization.get_default_qconfig());
        var expected = int8.call(data);
        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var loaded = quantization.load(Model(kind), file);
        Assert.Equal(int8[1].ToString(), loaded[1].ToString());
        Assert.Equal(expected, loaded.call(data));

        using var copy = ModuleTree.Copy(int8);
        var (other, lent) = (copy.state_dict(), int8.state_dict());
        Assert.Equal(lent.Keys, other.Keys);
        Assert.All(lent, entry => Assert.Equal(entry.Value, other[entry.Key]));
        Assert.Equal(expected, copy.call(data));
        Assert.Equal(expected, int8.call(data)); // taken back
        Assert.Equal(((IQuantizedModule)int8[1]).WeightBytes, ((IQuantizedModule)int8[1]).ExportState().Sum(entry => entry.Value.numel() * entry.Value.element_size()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_image_without_a_batch_gives_what_it_gives_in_a_batch(string kind)
    {
        using var scope = NewDisposeScope();
        var (_, int8, data) = Converted(kind, quantization.get_default_qconfig());
        var (quantized, layer) = (((Quantize)int8[0]).call(data), (StaticQuantizedModule)int8[1]);
        var whole = layer.call(quantized);
        Assert.Equal(whole.int_repr()[1], layer.call(quantized[1]).int_repr());
        Assert.Equal(0, layer.call(quantized[..0]).shape[0]);
        // The order in memory makes no difference to the codes, and what comes out has its channels last.
        Assert.Equal(whole.int_repr(), layer.call(quantized.contiguous()).int_repr());
        using var channelsLast = ChannelsLastOf(whole);
        Assert.True(channelsLast.is_contiguous());
    }

    [Theory]
    [InlineData("ConvTranspose2d")]
    [InlineData("dilated, grouped")]
    public void Weights_per_channel_have_a_scale_for_each_output_channel(string kind)
    {
        using var scope = NewDisposeScope();
        var (_, perChannel, _) = Converted(kind, quantization.get_default_qconfig());
        var (_, perTensor, _) = Converted(kind, quantization.default_qconfig);
        var weight = ((IQuantizedModule)perChannel[1]).ExportState().ToDictionary();
        var floats = ((nn.Module)Model(kind)[1]).state_dict()["weight"];
        Assert.Equal(floats.shape, weight["weight"].shape);
        Assert.Equal([4L], weight["weight_scale"].shape);
        Assert.Equal([1L], ((IQuantizedModule)perTensor[1]).ExportState().ToDictionary()["weight_scale"].shape);
        // Groups of two outputs: [out, in / 2, ...], and [in, out / 2, ...] transposed.
        var scales = kind == "ConvTranspose2d"
            ? floats.reshape(2, 3, 2, 3, 3).abs().amax([1, 3, 4]).reshape(4)
            : floats.abs().amax([1, 2, 3]);
        Assert.True(weight["weight_scale"].allclose(scales / tensor(127.5f)));
    }

    [Fact]
    public void A_fused_convolution_batch_norm_and_ReLU_become_one_int8_module()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        using var model = nn.Sequential(
            ("quant", new QuantStub()), ("conv", nn.Conv2d(3, 8, 3, bias: false)), ("bn", nn.BatchNorm2d(8)), ("relu", nn.ReLU()), ("dequant", new DeQuantStub()));
        var data = randn([4, 3, 8, 8], generator: generator);
        model.call(data); // running statistics
        model.eval();
        var expected = model.call(data);
        var prepared = quantization.prepare(quantization.fuse_modules(model, ["conv", "bn", "relu"]), quantization.get_default_qconfig());
        prepared.call(data);
        var int8 = quantization.convert(prepared);
        Assert.StartsWith("QuantizedConvReLU2d(3, 8, ", int8[1].ToString(), StringComparison.Ordinal);
        Assert.Equal([typeof(Quantize), typeof(QuantizedConvolution), typeof(Identity), typeof(Identity), typeof(DeQuantize)], int8.children().Select(m => m.GetType()));
        Assert.InRange((int8.call(data) - expected).abs().max().item<float>(), float.Epsilon, 0.02f * expected.amax().item<float>());
    }

    [Fact]
    public void ReLU6_clamps_the_codes_of_the_convolution()
    {
        using var scope = NewDisposeScope();
        var sample = new ConvolutionCase(7, false, 2, 1, 5, 9, [6, 6], [3, 3], [1, 1], [1, 1], [1, 1], [0, 0], WeightScheme.PerChannelSymmetric, true, false);
        var layer = sample.Layer(smallWeights: false);
        layer = layer.With(new(6f / 100, 40)); // 6 has the code 140
        using var plain = sample.Module(layer);
        using var clamped = (StaticQuantizedModule)QuantizedModules.Create(
            plain.Kind, new Dictionary<string, string>(plain.Options) { ["activation"] = "relu6" }, plain.ExportState().ToDictionary(), "layer");
        var (before, after) = (plain.call(layer.Input()).int_repr(), clamped.call(layer.Input()).int_repr());
        Assert.Equal(before.clamp(40, 140), after);
        Assert.NotEqual(before, after);
        Assert.Equal((40, 140), (after.min().item<byte>(), after.max().item<byte>()));
    }

    private static Tensor ChannelsLastOf(Tensor tensor) => tensor.permute([0, .. Enumerable.Range(2, (int)tensor.dim() - 2).Select(d => (long)d), 1]);

    private static Sequential Model(string kind)
    {
        manual_seed(5);
        var model = nn.Sequential(("quant", new QuantStub()), ("layer", Layers[kind].Make()), ("dequant", new DeQuantStub()));
        model.eval();
        return model;
    }

    private static (Tensor Expected, Sequential Int8, Tensor Data) Converted(string kind, QConfig qconfig)
    {
        using var generator = new Generator(17);
        var data = randn(Layers[kind].Input, generator: generator);
        var model = Model(kind);
        var prepared = quantization.prepare(model, qconfig);
        prepared.call(data);
        return (model.call(data), quantization.convert(prepared), data);
    }
}
