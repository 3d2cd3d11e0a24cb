using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Dynamic;

public class QConfigSpecTests
{
    private static readonly QConfig PerTensor = quantization.default_dynamic_qconfig;
    private static readonly QConfig PerChannel = quantization.per_channel_dynamic_qconfig;

    public static TheoryData<string, QConfigSpec?> FormsOfAllLinears => new()
    {
        { "nothing", null },
        { "collection expression of types", [typeof(Linear)] },
        { "collection expression of names", ["first", "block.inner", "last"] },
        { "collection expression of a type, and a container by name", [typeof(Linear), "block"] },
        { "a container's type hands it on", [typeof(TwoLevels)] },
        { "set of types", new HashSet<Type> { typeof(Linear) } },
        { "set of names", new HashSet<string> { "first", "block", "last" } },
        { "set of both", new HashSet<object> { typeof(Block), "first", "last" } },
        { "array of types", new[] { typeof(Linear) } },
        { "array of names", new[] { "first", "block.inner", "last" } },
        { "dictionary from type", new Dictionary<Type, QConfig?> { [typeof(Linear)] = PerTensor } },
        { "dictionary from name", new Dictionary<string, QConfig?> { ["first"] = PerTensor, ["block"] = PerTensor, ["last"] = PerChannel } },
        { "dictionary from both", new Dictionary<object, QConfig?> { [typeof(Linear)] = PerTensor, ["last"] = PerChannel } },
        { "the empty name is the model", new Dictionary<string, QConfig?> { [""] = PerTensor } },
        { "initializer", new QConfigSpec { [typeof(Linear)] = PerTensor, ["last"] = PerChannel } },
    };

    [Theory]
    [MemberData(nameof(FormsOfAllLinears), DisableDiscoveryEnumeration = true)]
    public void Every_form_of_the_spec_can_name_all_linears(string form, QConfigSpec? spec)
    {
        using var model = new TwoLevels();
        using var quantized = quantization.quantize_dynamic(model, spec);
        Assert.All([quantized.first, quantized.block.inner, quantized.last], module => Assert.True(module is DynamicQuantizedLinear, form));
    }

    [Fact]
    public void A_name_beats_a_type_and_a_type_beats_the_module_around()
    {
        using var model = new TwoLevels();
        using var quantized = quantization.quantize_dynamic(
            model, new QConfigSpec { [typeof(Block)] = null, [typeof(Linear)] = PerTensor, ["block.inner"] = PerChannel, ["last"] = null });
        Assert.Equal(
            ["per_tensor_affine", "per_channel_affine", "Linear"],
            new nn.Module[] { quantized.first, quantized.block.inner, quantized.last }.Select(Precision));
    }

    [Fact]
    public void The_empty_name_gives_a_default_that_names_and_types_beat()
    {
        using var model = new TwoLevels();
        using var quantized = quantization.quantize_dynamic(model, new QConfigSpec { [""] = PerTensor, ["block"] = PerChannel, ["last"] = null });
        Assert.Equal(
            ["per_tensor_affine", "per_channel_affine", "Linear"],
            new nn.Module[] { quantized.first, quantized.block.inner, quantized.last }.Select(Precision));
    }

    [Fact]
    public void A_container_hands_its_qconfig_to_what_is_in_it()
    {
        using var model = new TwoLevels();
        using var quantized = quantization.quantize_dynamic(model, new QConfigSpec { ["block"] = PerChannel });
        Assert.Equal(["Linear", "per_channel_affine", "Linear"], new nn.Module[] { quantized.first, quantized.block.inner, quantized.last }.Select(Precision));
    }

    [Fact]
    public void A_modules_own_qconfig_beats_the_spec_also_when_it_is_null()
    {
        using var model = new TwoLevels();
        model.first.qconfig = null;
        model.block.qconfig = PerTensor;
        using var quantized = quantization.quantize_dynamic(model, new QConfigSpec { ["first"] = PerChannel, [typeof(Linear)] = PerChannel, ["last"] = PerChannel });
        Assert.Equal(["Linear", "per_channel_affine", "per_channel_affine"], new nn.Module[] { quantized.first, quantized.block.inner, quantized.last }.Select(Precision));
        Assert.Null(model.first.qconfig);
        Assert.Same(PerTensor, model.block.qconfig);
        Assert.Null(model.last.qconfig);
    }

    [Fact]
    public void A_models_own_qconfig_alone_quantizes_it()
    {
        using var model = new TwoLevels();
        model.qconfig = PerTensor;
        using var quantized = quantization.quantize_dynamic(model, []);
        Assert.Equal(["per_tensor_affine", "per_tensor_affine", "per_tensor_affine"], new nn.Module[] { quantized.first, quantized.block.inner, quantized.last }.Select(Precision));
    }

    [Fact]
    public void A_set_takes_its_qconfig_from_dtype_and_backend()
    {
        using var model = new TwoLevels();
        foreach (var (dtype, backend, expected) in new[]
        {
            (qdtype.qint8, "native", "per_channel_affine"), (qdtype.qint8, "fbgemm", "per_tensor_affine"), (qdtype.float16, "native", "float16"),
        })
        {
            using var quantized = quantization.quantize_dynamic(model, [typeof(Linear)], dtype, backend: backend);
            Assert.Equal(expected, Precision(quantized.first));
        }
    }

    [Fact]
    public void Elements_of_lists_are_found_by_name_and_inherit_from_the_module_around()
    {
        using var model = new Listed();
        using var named = quantization.quantize_dynamic(model, ["heads.1"]);
        Assert.Equal(["Linear", "per_channel_affine"], named.heads.Select(Precision));
        using var inherited = quantization.quantize_dynamic(model, [typeof(Listed)]);
        Assert.Equal(["per_channel_affine", "per_channel_affine"], inherited.heads.Select(Precision));
    }

    [Fact]
    public void A_name_that_the_model_has_not_is_refused_with_those_it_has()
    {
        var message = Refused(["frist", typeof(Linear)]);
        Assert.Contains("no module has the name \"frist\"", message, StringComparison.Ordinal);
        Assert.Contains("first, activation, block, block.inner, last", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_wrong_with_a_spec_is_said_at_once()
    {
        var message = Refused(["frist", typeof(LSTM), "activation", typeof(Linear)]);
        Assert.Contains("\"frist\"", message, StringComparison.Ordinal);
        Assert.Contains("no module is exactly a LSTM", message, StringComparison.Ordinal);
        Assert.Contains("\"activation\" decides for activation (ReLU), none of which can be quantized: the mapping has", message, StringComparison.Ordinal);
        Assert.Contains("Linear (first, block.inner, last)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_are_exact()
    {
        Assert.Contains("no module is exactly a Module`2", Refused([typeof(nn.Module<Tensor, Tensor>)]), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new QConfigSpec { typeof(string) });
        Assert.Contains("found 3", Assert.Throws<ArgumentException>(() => (QConfigSpec)new HashSet<object> { 3 }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spec_that_leaves_everything_float_is_refused()
    {
        Assert.Contains("no module of the model is to be quantized", Refused([]), StringComparison.Ordinal);
        Assert.Contains("no module of the model is to be quantized", Refused(new QConfigSpec { [typeof(Linear)] = null }), StringComparison.Ordinal);
    }

    private static string Refused(QConfigSpec spec)
    {
        using var model = new TwoLevels();
        return Assert.Throws<ArgumentException>(() => quantization.quantize_dynamic(model, spec)).Message;
    }

    internal static string Precision(nn.Module module)
    {
        if (module is not IQuantizedModule)
            return module.GetType().Name;
        var text = module.ToString()!;
        return text.Contains("per_channel_affine", StringComparison.Ordinal) ? "per_channel_affine" : text.Contains("per_tensor_affine", StringComparison.Ordinal) ? "per_tensor_affine" : "float16";
    }

    private sealed class Listed : nn.Module<Tensor, Tensor>
    {
        public readonly List<nn.Module<Tensor, Tensor>> heads = [nn.Linear(3, 2), nn.Linear(3, 2)];

        public Listed() : base(nameof(Listed)) => RegisterComponents();

        public override Tensor forward(Tensor input) => heads[0].call(input);
    }
}
