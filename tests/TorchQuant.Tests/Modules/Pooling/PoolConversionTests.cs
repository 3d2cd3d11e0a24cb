using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Pooling;

/// <summary>What convert, files and copies make of pooling modules.</summary>
public class PoolConversionTests
{
    public static TheoryData<string> Kinds => [.. PoolCase.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Convert_replaces_pooling_and_saved_loaded_and_copied_models_compute_the_same_bits(string kind)
    {
        using var scope = NewDisposeScope();
        var data = Data(kind);
        using var model = Model(kind);
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        prepared.call(data);
        Assert.Equal(Pool(model).GetType(), Pool(prepared).GetType());
        using var int8 = quantization.convert(prepared);
        var pool = Assert.IsAssignableFrom<QuantizedPool>(Pool(int8));
        Assert.Equal(("pool", 0L), (pool.Path, pool.WeightBytes));
        var expected = int8.call(data);

        using var oldWay = quantization.convert(prepared, is_reference: true);
        Assert.Equal(Pool(model).GetType(), Pool(oldWay).GetType());

        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var fresh = Model(kind);
        using var loaded = quantization.load(fresh, file);
        Assert.Equal(pool.ToString(), Pool(loaded).ToString());
        Assert.Equal(expected, loaded.call(data));
        using var copy = ModuleTree.Copy(int8);
        Assert.Equal(expected, copy.call(data));
    }

    [Fact]
    public void What_is_left_float_keeps_its_pooling()
    {
        using var scope = NewDisposeScope();
        using var model = Model("MaxPool2d");
        using var prepared = quantization.prepare(model, new QConfigSpec { [""] = quantization.get_default_qconfig(), ["pool"] = null });
        prepared.call(Data("MaxPool2d"));
        using var int8 = quantization.convert(prepared);
        Assert.IsType<MaxPool2d>(Pool(int8));
    }

    [Fact]
    public void A_field_that_cannot_hold_ours_keeps_libtorchs_and_computes_the_same()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var model = new Declared();
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        var data = Data("MaxPool2d");
        prepared.call(data);
        using var int8 = quantization.convert(prepared);
        Assert.IsType<MaxPool2d>(ModuleTree.Walk(int8).First(m => m.Path == "first").Module);
        Assert.IsType<QuantizedMaxPool>(ModuleTree.Walk(int8).First(m => m.Path == "second").Module);
        Assert.Equal([2, 6, 4, 4], int8.call(data).shape);
    }

    [Fact]
    public void One_module_may_pool_several_times_in_one_pass_on_int8_and_on_float_tensors()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var model = new Shared();
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        var data = Data("MaxPool2d");
        var real = prepared.call(data);
        using var int8 = quantization.convert(prepared);
        Assert.IsType<QuantizedAvgPool>(Pool(int8));
        var found = int8.call(data);
        Assert.Equal(real.shape, found.shape);
        Assert.InRange((real - found).abs().max().item<float>(), 0, 0.1f);
    }

    [Fact]
    public void Hooks_of_the_float_module_go_on()
    {
        using var scope = NewDisposeScope();
        using var model = Model("AvgPool2d");
        var calls = new List<ScalarType>();
        ((nn.Module<Tensor, Tensor>)Pool(model)).register_forward_hook((_, input, output) =>
        {
            calls.Add(input.dtype);
            return output;
        });
        quantization.prepare(model, quantization.get_default_qconfig(), inplace: true);
        model.call(Data("AvgPool2d"));
        quantization.convert(model, inplace: true);
        calls.Clear();
        model.call(Data("AvgPool2d"));
        Assert.Equal([ScalarType.QUInt8], calls);
    }

    [Fact]
    public void A_refused_conversion_puts_the_pooling_back()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var model = new Sum();
        model.eval();
        quantization.prepare(model, quantization.get_default_qconfig(), inplace: true);
        model.call(Data("MaxPool2d"));
        Assert.Throws<ConvertedModelException>(() => quantization.convert(model, inplace: true));
        Assert.IsType<MaxPool2d>(Pool(model));
        model.call(Data("MaxPool2d"));
    }

    [Fact]
    public void Modules_print_as_PyTorchs_do()
    {
        Assert.Equal("QuantizedMaxPool2d(kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(1, 1), ceil_mode=False)", PoolCase.Int8(nn.MaxPool2d(3, 2, 1)).ToString());
        Assert.Equal("QuantizedMaxPool1d(kernel_size=(3,), stride=(3,), padding=(0,), dilation=(2,), ceil_mode=True)", PoolCase.Int8(nn.MaxPool1d(3, dilation: 2, ceil_mode: true)).ToString());
        Assert.Equal("QuantizedAvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=(0, 0))", PoolCase.Int8(nn.AvgPool2d((2, 3))).ToString());
        Assert.Equal(
            "QuantizedAvgPool3d(kernel_size=(2, 2, 2), stride=(1, 1, 1), padding=(1, 1, 1), ceil_mode=True, count_include_pad=False, divisor_override=3)",
            PoolCase.Int8(nn.AvgPool3d(2, 1, 1, ceil_mode: true, count_include_pad: false, divisor_override: 3)).ToString());
        Assert.Equal("QuantizedAdaptiveAvgPool2d(output_size=(1, 1))", PoolCase.Int8(nn.AdaptiveAvgPool2d(1)).ToString());
        Assert.Equal("QuantizedAdaptiveAvgPool1d(output_size=(4,))", PoolCase.Int8(nn.AdaptiveAvgPool1d(4)).ToString());
    }

    [Fact]
    public void Options_are_those_of_the_float_module()
    {
        var max = (QuantizedMaxPool)PoolCase.Int8(nn.MaxPool2d([3, 2], null, [1, 0], [1, 2], ceil_mode: true));
        Assert.Equal([3, 2], max.kernel_size);
        Assert.Equal([3, 2], max.stride);
        Assert.Equal([1, 0], max.padding);
        Assert.Equal([1, 2], max.dilation);
        Assert.True(max.ceil_mode);
        var average = (QuantizedAvgPool)PoolCase.Int8(nn.AvgPool2d([4], [2], [1], count_include_pad: false, divisor_override: 5));
        Assert.Equal([4, 4], average.kernel_size);
        Assert.Equal([2, 2], average.stride);
        Assert.Equal([1, 1], average.padding);
        Assert.Equal((false, false, 5), (average.ceil_mode, average.count_include_pad, average.divisor_override));
        Assert.Equal([2, 7], ((QuantizedAdaptiveAvgPool)PoolCase.Int8(nn.AdaptiveAvgPool2d([2, 7]))).output_size);
    }

    [Fact]
    public void Options_without_a_meaning_are_refused_with_the_path()
    {
        static string Refusal(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
        Assert.Contains("net.pool: stride has 3 numbers; expected 2, or one for all", Refusal(() => PoolCase.Int8(nn.MaxPool2d([2, 2], [1, 1, 1]))));
        Assert.Contains("net.pool: divisor_override is -2; expected at least 1", Refusal(() => PoolCase.Int8(nn.AvgPool2d(2, divisor_override: -2))));
        Assert.Contains("net.pool: output_size is (3); expected 2 sizes of at least 1", Refusal(() => PoolCase.Int8(nn.AdaptiveAvgPool2d([3]))));
        Dictionary<string, string> options = new() { ["kernel_size"] = "2,2", ["stride"] = "2", ["padding"] = "0,0", ["dilation"] = "1,2", ["ceil_mode"] = "false", ["count_include_pad"] = "true", ["divisor_override"] = "0" };
        string Create(string kind) => Refusal(() => QuantizedModules.Create(kind, options, new Dictionary<string, Tensor>(), "net.pool"));
        Assert.Contains("net.pool: the option stride is '2'; expected 2 whole numbers", Create("QuantizedMaxPool"));
        options["stride"] = "2,2";
        Assert.Contains("net.pool: an average pooling has no dilation; the file has (1, 2)", Create("QuantizedAvgPool"));
        options["kernel_size"] = "1,1,1,1";
        Assert.Contains("net.pool: the option kernel_size is '1,1,1,1'; expected 1 to 3 numbers", Create("QuantizedMaxPool"));
        options["output_size"] = "1,0";
        Assert.Contains("net.pool: the option output_size is '1,0'; expected 2 whole numbers of at least 1", Create("QuantizedAdaptiveAvgPool"));
        options["output_size"] = "1,1,1,1";
        Assert.Contains("net.pool: the option output_size is '1,1,1,1'; expected 1 to 3 sizes", Create("QuantizedAdaptiveAvgPool"));
    }

    private static nn.Module Pool(nn.Module model) => ModuleTree.Walk(model).First(m => m.Path == "pool").Module;

    private static Tensor Data(string kind)
    {
        using var generator = new Generator(9);
        return randn([2, 3, .. Enumerable.Repeat(18L, PoolCase.Spatial(kind))], generator: generator);
    }

    private static Sequential Model(string kind)
    {
        manual_seed(3);
        nn.Module<Tensor, Tensor> conv = PoolCase.Spatial(kind) switch { 1 => nn.Conv1d(3, 6, 3), 2 => nn.Conv2d(3, 6, 3), _ => nn.Conv3d(3, 6, 3) };
        var model = nn.Sequential(("quant", new QuantStub()), ("conv", conv), ("pool", PoolCase.Make(kind, new Random(8))), ("dequant", new DeQuantStub()));
        model.eval();
        return model;
    }

    private sealed class Declared : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly nn.Module<Tensor, Tensor> conv = nn.Conv2d(3, 6, 3), second = nn.MaxPool2d(2);
        private readonly MaxPool2d first = nn.MaxPool2d(2);
        private readonly DeQuantStub dequant = new();

        public Declared() : base(nameof(Declared)) => RegisterComponents();

        public override Tensor forward(Tensor input) => dequant.call(second.call(first.call(conv.call(quant.call(input)))));
    }

    private sealed class Shared : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly nn.Module<Tensor, Tensor> conv = nn.Conv2d(3, 6, 3), pool = nn.AvgPool2d(2);
        private readonly DeQuantStub dequant = new();

        public Shared() : base(nameof(Shared)) => RegisterComponents();

        public override Tensor forward(Tensor input) => pool.call(dequant.call(pool.call(pool.call(conv.call(quant.call(input))))));
    }

    private sealed class Sum : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly nn.Module<Tensor, Tensor> conv = nn.Conv2d(3, 6, 3), pool = nn.MaxPool2d(2);
        private readonly DeQuantStub dequant = new();

        public Sum() : base(nameof(Sum)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            var pooled = pool.call(conv.call(quant.call(input)));
            return dequant.call(pooled + pooled);
        }
    }
}
