using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Qat;

/// <summary>Modules without weights that are moved to a grid, and what users can change.</summary>
public class QatPartsTests
{
    private static readonly Dictionary<string, Func<MTT>> s_modules = new()
    {
        ["ReLU"] = () => nn.ReLU(),
        ["ReLU6"] = () => nn.ReLU6(),
        ["Hardswish"] = () => nn.Hardswish(),
        ["Hardsigmoid"] = () => nn.Hardsigmoid(),
        ["Sigmoid"] = () => nn.Sigmoid(),
        ["Tanh"] = () => nn.Tanh(),
        ["SiLU"] = () => nn.SiLU(),
        ["ELU"] = () => nn.ELU(),
        ["LeakyReLU"] = () => nn.LeakyReLU(0.1),
        ["GELU"] = () => nn.GELU(),
        ["PReLU"] = () => nn.PReLU(1, 0.2),
        ["Softmax"] = () => nn.Softmax(1),
        ["MaxPool2d"] = () => nn.MaxPool2d(2),
        ["AvgPool1d"] = () => nn.AvgPool1d(3),
        ["AvgPool2d"] = () => nn.AvgPool2d(2),
        ["AvgPool3d"] = () => nn.AvgPool3d(2),
        ["AdaptiveAvgPool1d"] = () => nn.AdaptiveAvgPool1d(5),
        ["AdaptiveAvgPool2d"] = () => nn.AdaptiveAvgPool2d([2, 4]),
        ["AdaptiveAvgPool3d"] = () => nn.AdaptiveAvgPool3d([1, 3, 4]),
        ["AdaptiveMaxPool2d"] = () => nn.AdaptiveMaxPool2d([2, 2]),
        ["Upsample"] = () => nn.Upsample(scale_factor: [2, 2]),
        ["BatchNorm2d"] = () => nn.BatchNorm2d(4),
        ["GroupNorm"] = () => nn.GroupNorm(2, 4),
        ["InstanceNorm2d"] = () => nn.InstanceNorm2d(4),
        ["LayerNorm"] = () => nn.LayerNorm([4L, 6, 6]),
        ["Flatten"] = () => nn.Flatten(),
    };

    public static TheoryData<string> Kinds => [.. s_modules.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_module_without_weights_gives_the_codes_that_were_trained(string kind)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(11);
        using var model = nn.Sequential(("quant", new QuantStub()), ("module", s_modules[kind]()), ("dequant", new DeQuantStub()));
        using (no_grad())
            foreach (var parameter in model.parameters()) // TorchSharp's GroupNorm leaves its own unset
                parameter.copy_((randn(parameter.shape, generator: random) * 0.1) + 0.5);
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        for (var step = 0; step < 3; step++)
        {
            var trained = (Images(kind, random) * 4).requires_grad_();
            var y = model.call(trained);
            (y * randn(y.shape, generator: random)).sum().backward();
            Assert.True(trained.grad!.abs().max().item<float>() > 0);
        }

        model.eval();
        model.apply(quantization.disable_observer);
        using var int8 = quantization.convert(model);
        var x = Images(kind, random) * 4;
        var codes = ((MTT)int8[1]).call(((MTT)int8[0]).call(x));
        var actual = int8.call(x);
        Assert.Equal(actual, model.call(x)); // in eval mode it computes with the integers
        if (kind.StartsWith("BatchNorm", StringComparison.Ordinal))
            return;
        model.train();
        var expected = model.call(x);
        Assert.Equal(expected.shape, actual.shape);
        var steps = ((expected - actual) / codes.q_scale()).round().abs();
        Assert.InRange(steps.max().item<float>(), 0, 1);
        Assert.InRange(steps.gt(0).sum().item<long>(), 0, Math.Max(2, steps.numel() / 1000));
    }

    private static Tensor Images(string kind, Generator random) => randn(
        kind.EndsWith("Pool1d", StringComparison.Ordinal) ? [16, 4, 36] : kind.EndsWith("Pool3d", StringComparison.Ordinal) ? [16, 2, 2, 6, 6] : [16, 4, 6, 6], generator: random);

    [Fact]
    public void A_batch_norm_with_its_ReLU_gives_the_codes_that_were_trained()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(12);
        using var model = nn.Sequential(("quant", new QuantStub()), ("bn", nn.BatchNorm2d(4)), ("relu", nn.ReLU()), ("dequant", new DeQuantStub()));
        quantization.fuse_modules_qat(model, ["bn", "relu"], inplace: true);
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        for (var step = 0; step < 3; step++)
            model.call(randn([16, 4, 6, 6], generator: random));
        model.eval();
        model.apply(quantization.disable_observer);
        using var int8 = quantization.convert(model);
        var x = randn([16, 4, 6, 6], generator: random);
        var steps = ((model.call(x) - int8.call(x)) / ((FakeQuantize)((ObservedModule)model[1]).activation_post_process!).scale).round().abs();
        Assert.InRange(steps.max().item<float>(), 0, 1);
        Assert.InRange(steps.gt(0).sum().item<long>(), 0, 2);
    }

    [Fact]
    public void A_ReLU6_that_is_not_fused_stays_on_the_grid_of_the_layer_before_it()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("quant", new QuantStub()), ("fc", nn.Linear(4, 4)), ("relu", nn.ReLU6()), ("dequant", new DeQuantStub()));
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        var y = model.call(randn(64, 4) * 20);
        var scale = ((FakeQuantize)((QatModule)model[1]).activation_post_process!).scale.item<float>();
        Assert.InRange((y / scale - (y / scale).round()).abs().max().item<float>(), 0, 1e-4f);
        Assert.InRange(y.max().item<float>(), 6 - (scale / 2), 6 + (scale / 2));
    }

    [Fact]
    public void A_layer_that_is_called_twice_is_refused_unless_reuse_is_allowed()
    {
        using var scope = NewDisposeScope();
        using var model = new Twice();
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        model.call(randn(8, 4)).sum().backward();
        Assert.Contains("fc was called 2 times", Assert.Throws<ModuleReplacementException>(() => quantization.convert(model)).Message, StringComparison.Ordinal);
        using var int8 = quantization.convert(model, allow_reuse: true);
        Assert.IsType<QuantizedLinear>(int8.fc);
    }

    [Fact]
    public void A_field_that_cannot_hold_the_module_is_refused_or_trained_by_hooks()
    {
        using var scope = NewDisposeScope();
        using var model = new Static.Declared();
        Assert.Equal(2, Assert.Throws<ModuleReplacementException>(() => quantization.prepare_qat(model, quantization.get_default_qat_qconfig())).Refusals.Count);
        using var prepared = quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), hook_fallback: true);
        var x = randn(16, 6);
        using var optimizer = optim.SGD(prepared.parameters(), 0.1);
        var before = prepared.parameters().First().clone();
        prepared.call(x).pow(2).sum().backward();
        optimizer.step();
        Assert.NotEqual(before, prepared.parameters().First());
        Assert.NotEqual(model.call(x), prepared.call(x));
    }

    [Fact]
    public void Scales_that_are_learned_are_trained_by_the_optimizer_and_converted()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3);
        var qconfig = new QConfig(
            LearnableFakeQuantize.with_args(MovingAverageMinMaxObserver.with_args(quant_min: 0, quant_max: 255), use_grad_scaling: true),
            LearnableFakeQuantize.with_args(MovingAverageMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric), use_grad_scaling: true));
        using var model = nn.Sequential(("quant", new QuantStub()), ("fc", nn.Linear(4, 3)), ("dequant", new DeQuantStub()));
        quantization.prepare_qat(model, qconfig, inplace: true);
        model.call(randn([32, 4], generator: random));
        foreach (var learnable in model.modules().OfType<LearnableFakeQuantize>())
            learnable.enable_param_learning();
        Assert.Contains("fc.weight_fake_quant.scale", model.named_parameters().Select(p => p.name));
        using var optimizer = optim.SGD(model.parameters(), 0.01);
        var scale = ((LearnableFakeQuantize)((QatModule)model[1]).weight_fake_quant).scale;
        var before = scale.item<float>();
        for (var step = 0; step < 5; step++)
        {
            optimizer.zero_grad();
            model.call(randn([32, 4], generator: random)).pow(2).mean().backward();
            optimizer.step();
        }

        Assert.NotEqual(before, scale.item<float>());
        using var int8 = quantization.convert(model);
        model.eval();
        var x = randn([64, 4], generator: random);
        var steps = ((model.call(x) - int8.call(x)) / ((QuantizedLinear)int8[1]).scale).round().abs();
        Assert.InRange(steps.max().item<float>(), 0, 1);
        Assert.InRange(steps.gt(0).sum().item<long>(), 0, 1);
    }

    [Fact]
    public void Types_without_a_row_in_the_mapping_and_names_without_a_qconfig_stay_float()
    {
        using var model = QatNets.Float(1);
        var mapping = new QatModuleMapping(QatModuleMapping.Default);
        mapping.Remove(typeof(Conv2d));
        using var prepared = quantization.prepare_qat(model, new QConfigSpec { [""] = quantization.get_default_qat_qconfig(), ["fc"] = null }, mapping);
        Assert.IsType<ObservedModule>(prepared.conv1);
        Assert.IsType<Linear>(prepared.fc);
    }

    private sealed class Twice : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        public MTT fc = nn.Linear(4, 4);
        private readonly DeQuantStub dequant = new();

        public Twice() : base(nameof(Twice)) => RegisterComponents();

        public override Tensor forward(Tensor input) => dequant.call(fc.call(fc.call(quant.call(input))));
    }
}
