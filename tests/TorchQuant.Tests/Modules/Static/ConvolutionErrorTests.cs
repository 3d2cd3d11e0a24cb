using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>What convolutions refuse: the messages name the module, what was found and what was expected.</summary>
public class ConvolutionErrorTests
{
    private static readonly ConvolutionCase Plain = new(1, false, 1, 1, 3, 4, [6, 6], [3, 3], [1, 1], [0, 0], [1, 1], [0, 0], WeightScheme.PerTensorSymmetric, true, false);
    private static readonly ConvolutionCase Upsampling = Plain with { Transposed = true, Stride = [2, 2], Padding = [1, 1] };

    [Fact]
    public void A_float_input_is_refused_with_the_missing_stub()
    {
        using var scope = NewDisposeScope();
        using var module = Plain.Module(Plain.Layer(false));
        var message = Refused(() => module.call(rand(1, 3, 6, 6)));
        Assert.StartsWith("layer (QuantizedConv2d) takes a quantized tensor, found Float32: a QuantStub is missing before it", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1L, 4L, 6L, 6L)]
    [InlineData(4L, 6L, 6L)]
    [InlineData(6L, 6L)]
    [InlineData(1L, 1L, 3L, 6L, 6L)]
    public void Other_channels_and_dimensions_are_refused(params long[] shape)
    {
        using var scope = NewDisposeScope();
        foreach (var sample in new[] { Plain, Upsampling })
        {
            using var module = sample.Module(sample.Layer(false));
            var message = Refused(() => module.call(Input(shape)));
            Assert.StartsWith($"layer ({module.Kind}) takes inputs of the shape [batch, 3, height, width] or [3, height, width], found [{string.Join(", ", shape)}].", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_input_smaller_than_the_kernel_is_refused()
    {
        using var scope = NewDisposeScope();
        using var module = Plain.Module(Plain.Layer(false));
        Assert.StartsWith("layer (QuantizedConv2d), for an input of the shape [1, 3, 2, 6]: inputSize[0] is 2, with padding 2; expected at least 3", Refused(() => module.call(Input(1, 3, 2, 6))), StringComparison.Ordinal);
        var mirrored = Plain with { Padding = [2, 2], PaddingMode = "reflect" };
        using var reflecting = mirrored.Module(mirrored.Layer(false));
        Assert.StartsWith("layer (QuantizedConv2d), for an input of the shape [1, 3, 6, 2]: The padding of dimension 1 is 2 in mode Reflect; expected at most 1", Refused(() => reflecting.call(Input(1, 3, 6, 2))), StringComparison.Ordinal);
        using var transposed = Upsampling.Module(Upsampling.Layer(false));
        Assert.Equal([1L, 4, 1, 3], transposed.call(Input(1, 3, 1, 2)).shape);
        Assert.StartsWith("layer (QuantizedConvTranspose2d), for an input of the shape [1, 3, 0, 2]: inputSize[0] is 0", Refused(() => transposed.call(Input(1, 3, 0, 2))), StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_size_is_one_that_the_stride_makes_possible()
    {
        using var scope = NewDisposeScope();
        var layer = Upsampling.Layer(false);
        using var module = (QuantizedConvTranspose)Upsampling.Module(layer);
        var input = layer.Input();
        var smallest = module.call(input);
        Assert.Equal([1L, 4, 11, 11], smallest.shape);
        Assert.Equal(smallest.int_repr(), module.forward(input, null).int_repr());
        var larger = module.forward(input, [11, 12]);
        Assert.Equal([1L, 4, 11, 12], larger.shape);
        Assert.Equal(smallest.int_repr(), larger.int_repr()[.., .., .., ..11]);
        Assert.NotEqual(smallest.int_repr(), larger.int_repr()[.., .., .., 1..]);
        Assert.Equal(larger.int_repr(), module.forward(input, [1, 4, 11, 12]).int_repr());
        Assert.Equal(larger.int_repr()[0], module.forward(input[0], [11, 12]).int_repr());
        Assert.StartsWith("layer (QuantizedConvTranspose2d): output_size is 13 in spatial dimension 1; expected 11 to 12 for an input of 6.", Refused(() => module.forward(input, [11, 13])), StringComparison.Ordinal);
        Assert.StartsWith("layer (QuantizedConvTranspose2d): output_size has 3 numbers; expected 2, the spatial dimensions, or 4, all dimensions.", Refused(() => module.forward(input, [4, 11, 12])), StringComparison.Ordinal);
        Assert.Contains("takes inputs of the shape", Refused(() => module.forward(Input(6, 6), [11, 12])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stride", "1", "layer: the option stride is '1'; expected 2 whole numbers of at least 1 with commas between.")]
    [InlineData("dilation", "1,0", "layer: the option dilation is '1,0'; expected 2 whole numbers of at least 1 with commas between.")]
    [InlineData("padding", "x,1", "layer: the option padding is 'x,1'; expected 2 whole numbers of at least 0 with commas between.")]
    [InlineData("groups", "2", "layer.weight: outChannels is 3; expected a multiple of the 2 groups.")]
    [InlineData("padding_mode", "mirror", "layer: the option padding_mode is 'mirror'; expected zeros, reflect, replicate, circular.")]
    [InlineData("activation", "gelu", "layer: the option activation is 'gelu'; expected none, relu, relu6, hardswish.")]
    [InlineData("padding_end", null, "layer: the option padding_end is missing")]
    public void Options_that_make_no_convolution_are_refused(string name, string? value, string expected)
    {
        using var scope = NewDisposeScope();
        var sample = Plain with { GroupOutputs = 3 };
        var layer = sample.Layer(false);
        using var module = sample.Module(layer);
        var options = module.Options.ToDictionary();
        if (value is null)
            options.Remove(name);
        else
            options[name] = value;
        Assert.StartsWith(expected, Refused(() => layer.Module(module.Kind, [.. options.Select(o => (o.Key, o.Value))])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_scale_for_each_input_channel_of_a_transposed_convolution_is_refused()
    {
        using var scope = NewDisposeScope();
        var sample = Upsampling with { GroupOutputs = 5, Scheme = WeightScheme.PerChannelSymmetric };
        var layer = sample.Layer(false);
        using var module = sample.Module(layer);
        var state = module.ExportState().ToDictionary();
        state["weight_scale"] = ones(3);
        Assert.StartsWith("layer.weight_scale is Float32 [3]; expected Float32 [1] or [5].", Refused(() => QuantizedModules.Create(module.Kind, module.Options, state, "layer")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_transposed_module_is_not_converted_as_a_convolution()
    {
        using var module = nn.ConvTranspose2d(3, 4, 3);
        var conversion = new StaticConversion("up", quantization.get_default_qconfig(), null);
        Assert.StartsWith("up is a ConvTranspose2d; expected Conv1d, Conv2d or Conv3d", Refused(() => QuantizedConvolution.from_float(module, conversion)), StringComparison.Ordinal);
    }

    [Fact]
    public void Properties_are_those_of_the_float_module()
    {
        using var scope = NewDisposeScope();
        var sample = Plain with { Groups = 2, Stride = [1, 2], Padding = [0, 1], Dilation = [2, 1], PaddingMode = "replicate" };
        using var module = (QuantizedConvolution)sample.Module(sample.Layer(false));
        Assert.Equal((6, 8, 2), (module.in_channels, module.out_channels, module.groups));
        Assert.Equal([3L, 3], module.kernel_size);
        Assert.Equal([1L, 2], module.stride);
        Assert.Equal([0L, 1], module.padding);
        Assert.Equal([2L, 1], module.dilation);
        Assert.Equal(TorchSharp.PaddingModes.Replicate, module.padding_mode);
        using var transposed = (QuantizedConvTranspose)(Upsampling with { OutputPadding = [1, 0], Groups = 3 }).Module((Upsampling with { OutputPadding = [1, 0], Groups = 3 }).Layer(false));
        Assert.Equal((9, 12, 3), (transposed.in_channels, transposed.out_channels, transposed.groups));
        Assert.Equal([1L, 0], transposed.output_padding);
    }

    private static Tensor Input(params long[] shape) => LayerCase.Quantized(zeros(shape, dtype: ScalarType.Byte), new(1, 3));

    private static string Refused(Func<object> call) => Assert.Throws<ArgumentException>(call).Message;
}
