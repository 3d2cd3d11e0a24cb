using TorchQuant.Kernels;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Elementwise;

public class ElementwiseErrorTests
{
    private static readonly QParams s_output = new(0.5f, 3);

    public static TheoryData<string> Names => [.. ElementwiseCase.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_float_input_names_the_module_and_the_missing_QuantStub(string name)
    {
        using var scope = NewDisposeScope();
        var c = ElementwiseCase.Of(name);
        using var int8 = ElementwiseCase.Convert(c.Float(), s_output);
        var kind = ((IQuantizedModule)int8).Kind;
        Assert.Contains($"net.act ({kind}) takes a quantized tensor, found Float32: a QuantStub is missing before it", Refusal(int8, randn(2, 6, 4, 4)));
        Assert.Contains($"net.act ({kind}) takes activations of quint8, found QInt8", Refusal(int8, quantize_per_tensor(randn(2, 6, 4, 4), 0.1, 0, ScalarType.QInt8)));
        Assert.Contains("found plain Byte values", Refusal(int8, zeros(2, 6, 4, 4, dtype: ScalarType.Byte)));
    }

    [Theory]
    [InlineData("BatchNorm2d", "[batch, 6, height, width], found [2, 5, 4, 4]")]
    [InlineData("BatchNorm3d", "[batch, 6, depth, height, width], found [2, 5, 4, 4]")]
    [InlineData("BatchNorm1d", "[batch, 6, length] or [batch, 6], found [2, 5, 4, 4]")]
    [InlineData("LayerNorm", "[..., 12], found [2, 5, 4, 4]")]
    [InlineData("LayerNorm plain", "[..., 3, 4], found [2, 5, 4, 4]")]
    [InlineData("GroupNorm", "[batch, 6, spatial...], found [2, 5, 4, 4]")]
    [InlineData("GroupNorm plain", "[batch, a multiple of 2, spatial...], found [2, 5, 4, 4]")]
    [InlineData("InstanceNorm2d", "[batch, 6, height, width], with or without the batch, found [2, 5, 4, 4]")]
    [InlineData("Upsample linear", "[batch, channels, spatial...] with 1 spatial dimensions, found [2, 5, 4, 4]")]
    [InlineData("AdaptiveMaxPool1d", "[batch, channels, length], with or without the batch, found [2, 5, 4, 4]")]
    [InlineData("PReLU 6", "[batch, 6, ...], found [2, 5, 4, 4]")]
    public void A_wrong_shape_is_told_with_the_right_one(string name, string message)
    {
        using var scope = NewDisposeScope();
        using var int8 = ElementwiseCase.Convert(ElementwiseCase.Of(name).Float(), s_output);
        Assert.Contains(message, Refusal(int8, quantize_per_tensor(randn(2, 5, 4, 4), 0.1, 3, ScalarType.QUInt8)));
    }

    [Fact]
    public void A_softmax_along_a_dimension_that_the_input_has_not_is_refused()
    {
        using var scope = NewDisposeScope();
        using var int8 = ElementwiseCase.Convert(nn.Softmax(-3), s_output);
        Assert.Contains("of at least 3 dimensions, found [2, 5]", Refusal(int8, quantize_per_tensor(randn(2, 5), 0.1, 3, ScalarType.QUInt8)));
    }

    [Fact]
    public void What_cannot_be_converted_is_refused_with_the_path()
    {
        Assert.Contains("net.act: the batch norm tracks no running statistics", Conversion(nn.BatchNorm2d(6, track_running_stats: false)));
        var broken = nn.LayerNorm(4);
        using (no_grad())
            broken.weight.fill_(float.NaN);
        Assert.Contains("net.act.weight holds 4 NaN or infinite values", Conversion(broken));
        Assert.Contains("net.act: bicubic interpolation overshoots", Conversion(nn.Upsample([7, 5], mode: UpsampleMode.Bicubic)));
        Assert.Contains("net.act.alpha is NaN", Conversion(nn.ELU(double.NaN)));
        Assert.Contains("net.act.weight is Float64", Conversion(nn.PReLU(1, dtype: ScalarType.Float64)));
        var record = new StaticConversion("net.act", quantization.get_default_qconfig(), null);
        Assert.Contains("net.act: a ReLU is none of the functions", Assert.ThrowsAny<ArgumentException>(() => QuantizedActivation.from_float(nn.ReLU(), record)).Message);
    }

    [Fact]
    public void A_damaged_state_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        string Create(string kind, Dictionary<string, string> options, params (string Name, Tensor Value)[] tensors)
        {
            var state = tensors.ToDictionary(t => t.Name, t => t.Value);
            state["scale"] = tensor([0.5f]);
            state["zero_point"] = tensor([3]);
            return Assert.ThrowsAny<ArgumentException>(() => QuantizedModules.Create(kind, options, state, "net.act")).Message;
        }

        Assert.Contains("net.act: the option function is missing", Create("QuantizedActivation", []));
        Assert.Contains("the option function is 'Mish', which this version does not know", Create("QuantizedActivation", new() { ["function"] = "Mish" }));
        Assert.Contains("the option alpha is 'x'; expected a finite number", Create("QuantizedActivation", new() { ["function"] = "ELU", ["alpha"] = "x" }));
        Assert.Contains("the option approximate is '7'; expected none or tanh", Create("QuantizedActivation", new() { ["function"] = "GELU", ["approximate"] = "7" }));
        Assert.Contains("the option normalized_shape is '3 0'", Create("QuantizedLayerNorm", new() { ["normalized_shape"] = "3 0", ["eps"] = "0", ["tensors"] = "" }));
        Assert.Contains("net.act.weight is missing", Create("QuantizedLayerNorm", new() { ["normalized_shape"] = "3", ["eps"] = "0", ["tensors"] = "weight" }));
        Assert.Contains("the option tensors has 'gamma'", Create("QuantizedLayerNorm", new() { ["normalized_shape"] = "3", ["eps"] = "0", ["tensors"] = "gamma" }));
        Assert.Contains("net.act.weight is Float32 [4]; expected Float32 [3]", Create("QuantizedLayerNorm", new() { ["normalized_shape"] = "3", ["eps"] = "0", ["tensors"] = "weight" }, ("weight", ones(4))));
        var upsample = new Dictionary<string, string> { ["mode"] = "Area", ["size"] = "", ["scale_factor"] = "2 x", ["align_corners"] = "", ["recompute_scale_factor"] = "false" };
        Assert.Contains("the option mode is 'Area'; expected Nearest, Linear", Create("QuantizedUpsample", upsample));
        upsample["mode"] = "Nearest";
        Assert.Contains("the option scale_factor is '2 x'; expected finite numbers", Create("QuantizedUpsample", upsample));
        Assert.Contains("the option output_size is '1 1 1 1'; expected 1 or 2 sizes", Create("QuantizedAdaptiveMaxPool", new() { ["output_size"] = "1 1 1 1" }));
        var norm = new Dictionary<string, string> { ["dimensions"] = "2", ["num_features"] = "1", ["eps"] = "0", ["activation"] = "relu6", ["tensors"] = "running_mean running_var" };
        Assert.Contains("a batch norm has none or relu", Create("QuantizedBatchNorm", norm));
        norm["activation"] = "none";
        Assert.Contains("net.act.running_mean is missing", Create("QuantizedBatchNorm", norm));
        norm["tensors"] = "running_mean";
        Assert.Contains("a batch norm has running_mean and running_var; the file names running_mean", Create("QuantizedBatchNorm", norm));
        norm["dimensions"] = "4";
        Assert.Contains("the option dimensions is 4", Create("QuantizedBatchNorm", norm));
    }

    private static string Refusal(nn.Module<Tensor, Tensor> module, Tensor input) => Assert.ThrowsAny<ArgumentException>(() => module.call(input)).Message;

    private static string Conversion(nn.Module module) => Assert.ThrowsAny<ArgumentException>(() => ElementwiseCase.Convert(module, s_output)).Message;
}
