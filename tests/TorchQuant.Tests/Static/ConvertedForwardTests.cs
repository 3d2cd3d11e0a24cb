using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>Mistakes in the model's own forward, which convert finds by running the converted model once: the message, and that the conversion is taken back.</summary>
[Collection(nameof(Alone))]
public sealed class ConvertedForwardTests : IDisposable
{
    private readonly Tensor _x = randn(16, 6, generator: new Generator(1));

    public static TheoryData<string, string[]> Mistakes => new()
    {
        { "plus", ["a lambda in ConvertedForwardTests.Of", "aten::add.out does not exist for int8 tensors", "declare a field FloatFunctional and write skip.add(x, y) in the place of x + y"] },
        { "times", ["aten::mul", "scaled.mul(x, y) in the place of x * y"] },
        { "minus", ["aten::sub", "FloatFunctional"] },
        { "with a float", ["in the place of + and *"] },
        { "silu", ["silu", "call a DeQuantStub before it and a QuantStub after it"] },
        { "softmax", ["softmax", "DeQuantStub"] },
        { "float layer", ["aten::mm.out", "it stayed float between int8 modules: give it a qconfig before prepare"] },
        { "float convolution", ["Input type (c10::quint8) and bias type (float) should be the same: a layer stayed float between int8 modules: give it a qconfig before prepare"] },
        { "float to Linear", ["fc1 (QuantizedLinear) takes a quantized tensor, found Float32: a QuantStub is missing before it"] },
        { "float to add", ["skip (QFunctional) takes a quantized tensor, found Float32: a QuantStub is missing before it"] },
        { "float to DeQuantStub", ["dequant (DeQuantize) takes a quantized tensor, found Float32: the value is float already, so this DeQuantStub is one too many"] },
        { "int8 to QuantStub", ["quant (Quantize) takes float32 on the CPU, found QUInt8", "this QuantStub is one too many"] },
    };

    public void Dispose() => _x.Dispose();

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistakes_in_forward_are_named_with_place_and_mend_and_the_model_is_unchanged(string mistake, string[] words)
    {
        using var model = Calibrated(Of(mistake));
        var before = ModelSnapshot.Of(model);
        var e = Assert.Throws<ConvertedModelException>(() => quantization.convert(model, inplace: true, allow_reuse: true));
        Assert.All(words, word => Assert.True(e.Message.Contains(word, StringComparison.Ordinal), $"{word} IN {e.Message}"));
        Assert.Contains("The model is unchanged; convert with check: false leaves this check out.", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.InnerException);
        Assert.Equal(before, ModelSnapshot.Of(model));
        model.call(_x).Dispose();

        using var int8 = quantization.convert(model, allow_reuse: true, check: false);
        Assert.ThrowsAny<Exception>(() => int8.call(_x));
    }

    [Fact]
    public void The_place_is_the_method_of_the_model()
    {
        var model = quantization.prepare(Of(nn.Sequential(("quant", new QuantStub()), ("block", new Plus()))), quantization.get_default_qconfig(), inplace: true);
        model.call(_x).Dispose();
        var e = Assert.Throws<ConvertedModelException>(() => quantization.convert(model));
        Assert.Matches(@"in Plus\.forward of block( \(line \d+ of ConvertedForwardTests\.cs\))?: aten::add", e.Message);
        model.Dispose();
    }

    [Fact]
    public void The_check_draws_no_random_numbers_leaves_no_tensors_and_calls_the_model_once()
    {
        using var model = Calibrated(new Residual());
        var calls = 0;
        model.Join = (net, x, y) =>
        {
            calls++;
            rand(3).Dispose();
            return net.skip.add(x, y);
        };
        random.manual_seed(5);
        using var first = rand(3);
        random.manual_seed(5);
        using var int8 = quantization.convert(model, inplace: true);
        using var second = rand(3);
        Assert.Equal(1, calls);
        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void What_our_own_modules_refuse_is_told_in_their_words_alone()
    {
        using var model = Calibrated(Of("float to add"));
        var e = Assert.Throws<ConvertedModelException>(() => quantization.convert(model, allow_reuse: true));
        Assert.DoesNotContain("it is a float operation", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_is_what_the_model_was_called_with_before_the_users_hooks()
    {
        using var model = Eval(new Residual());
        var seen = new List<float>();
        model.register_forward_pre_hook((_, x) =>
        {
            using var sum = x.sum();
            seen.Add(sum.item<float>());
            return x * 2;
        });
        quantization.prepare(model, quantization.get_default_qconfig(), inplace: true).call(_x).Dispose();
        quantization.convert(model, inplace: true);
        Assert.Equal(2, seen.Count);
        Assert.Equal(seen[0], seen[1]);
    }

    [Fact]
    public void A_model_of_two_inputs_is_checked_too()
    {
        using var model = quantization.prepare(Eval(new TwoInputs()), quantization.get_default_qconfig(), inplace: true);
        model.call(_x, _x).Dispose();
        var e = Assert.Throws<ConvertedModelException>(() => quantization.convert(model));
        Assert.Contains("TwoInputs.forward", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_run_by_forward_is_not_checked()
    {
        using var model = quantization.prepare(Eval(Of("plus")), quantization.get_default_qconfig(), inplace: true);
        model.forward(_x).Dispose();
        model.skip.add(_x, _x).Dispose();
        using var int8 = quantization.convert(model);
        Assert.IsType<Quantize>(int8.quant);
    }

    private static T Of<T>(T model) where T : nn.Module => Eval(model);

    private static Residual Of(string mistake)
    {
        Func<Residual, Tensor, Tensor, Tensor> join = mistake switch
        {
            "plus" => static (_, x, y) => x + y,
            "times" => static (_, x, y) => x * y,
            "minus" => static (_, x, y) => x - y,
            "with a float" => static (_, x, y) => y + ones(6),
            "silu" => static (_, x, y) => nn.functional.silu(y),
            "softmax" => static (_, x, y) => y.softmax(-1),
            "float layer" => static (net, x, y) => nn.functional.linear(y, eye(6)),
            "float convolution" => static (net, x, y) => nn.functional.conv1d(y.unsqueeze(1), ones(1, 1, 3), zeros(1), padding: 1).squeeze(1),
            "float to Linear" => static (net, x, y) => net.fc1.call(net.dequant.call(x)),
            "float to add" => static (net, x, y) => net.skip.add(x, net.dequant.call(y)),
            "float to DeQuantStub" => static (net, x, y) => net.dequant.call(y),
            _ => static (net, x, y) => net.quant.call(y),
        };
        return new Residual { Join = join };
    }

    private Residual Calibrated(Residual model)
    {
        var prepared = quantization.prepare(Eval(model), quantization.get_default_qconfig(), inplace: true);
        prepared.call(_x).Dispose();
        prepared.skip.add(_x, _x).Dispose(); // that it is not used is another mistake than the one that is tested
        return prepared;
    }

    private static T Eval<T>(T model) where T : nn.Module
    {
        model.eval();
        return model;
    }

    private sealed class Plus() : nn.Module<Tensor, Tensor>(nameof(Plus))
    {
        public override Tensor forward(Tensor input) => input + input;
    }

    private sealed class TwoInputs : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly QuantStub quant1 = new();
        private readonly QuantStub quant2 = new();

        public TwoInputs() : base(nameof(TwoInputs)) => RegisterComponents();

        public override Tensor forward(Tensor input1, Tensor input2) => quant1.call(input1) + quant2.call(input2);
    }
}
