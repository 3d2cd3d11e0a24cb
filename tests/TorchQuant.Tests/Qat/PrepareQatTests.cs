using TorchQuant.Modules;
using TorchQuant.Tests.Static;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Qat;

/// <summary>What prepare_qat makes of a model, what it keeps, and what it refuses.</summary>
public class PrepareQatTests
{
    [Fact]
    public void A_model_that_cannot_be_copied_is_prepared_by_its_factory()
    {
        using var scope = NewDisposeScope();
        using var model = new Uncopyable();
        var spec = new QConfigSpec { ["quant"] = quantization.get_default_qat_qconfig(), ["fc"] = quantization.get_default_qat_qconfig() };
        Assert.Throws<ModuleCopyException>(() => quantization.prepare_qat(model, spec));
        using var prepared = quantization.prepare_qat(model, static () => new Uncopyable(), spec);
        Assert.IsType<Linear>(model.fc);
        var trained = Assert.IsType<QatLinear>(prepared.fc);
        Assert.Equal(((Linear)model.fc).weight, ((Linear)trained.module).weight);
        Assert.NotSame(((Linear)model.fc).weight, ((Linear)trained.module).weight);
        var x = randn(16, 6);
        prepared.call(x).sum().backward();
        Assert.NotNull(((Linear)trained.module).weight.grad);
        Assert.Null(((Linear)model.fc).weight.grad);
        quantization.convert(prepared, inplace: true, check: false);
        Assert.IsType<QuantizedLinear>(prepared.fc);

        Assert.Contains("fc is missing", Assert.Throws<ArgumentException>(() => quantization.prepare_qat<MTT>(model, static () => nn.Sequential(("quant", new QuantStub())), spec)).Message, StringComparison.Ordinal);
        model.eval();
        Assert.Contains("only works on models in training mode", Assert.Throws<ArgumentException>(() => quantization.prepare_qat(model, static () => new Uncopyable(), spec)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_stay_the_same_objects_with_their_names()
    {
        using var net = QatNets.Float(1);
        quantization.fuse_modules_qat(net, QatNets.Sequences, inplace: true);
        var before = net.named_parameters().ToList();
        var state = net.state_dict().Keys.ToList();
        Assert.Same(net, quantization.prepare_qat(net, quantization.get_default_qat_qconfig(), inplace: true));
        Assert.Equal(before.Select(p => p.name), net.named_parameters().Select(p => p.name));
        Assert.Equal(before.Select(p => p.parameter), net.named_parameters().Select(p => p.parameter), ReferenceEqualityComparer.Instance);
        var names = net.state_dict().Keys.ToHashSet();
        Assert.Superset(state.ToHashSet(), names);
        Assert.Contains("conv1.weight_fake_quant.scale", names);
        Assert.Contains("conv1.activation_post_process.activation_post_process.min_val", names);
        Assert.Contains("quant.activation_post_process.fake_quant_enabled", names);
        Assert.Contains("skip.activation_post_process.zero_point", names);
        Assert.DoesNotContain(names, name => name.Contains("module", StringComparison.Ordinal));
        Assert.True(net.training);
        Assert.IsType<QatConvBn>(net.conv1);
        Assert.IsType<QatConvBn>(net.conv2);
        Assert.IsType<QatLinear>(net.fc);
        Assert.IsType<Dropout>(net.dropout);
    }

    [Fact]
    public void A_copy_is_prepared_and_the_model_stays_as_it_is()
    {
        using var net = QatNets.Float(1);
        var before = ModelSnapshot.Of(net);
        using var prepared = quantization.prepare_qat(net, quantization.get_default_qat_qconfig());
        Assert.Equal(before, ModelSnapshot.Of(net));
        Assert.IsType<QatConvolution>(prepared.conv1);
        Assert.IsType<ObservedModule>(prepared.bn1);
        Assert.IsType<Conv2d>(net.conv1);
    }

    [Fact]
    public void An_optimizer_made_before_trains_the_prepared_model()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2);
        using var net = QatNets.Float(2);
        using var optimizer = optim.SGD(net.parameters(), 0.1);
        quantization.fuse_modules_qat(net, QatNets.Sequences, inplace: true);
        quantization.prepare_qat(net, quantization.get_default_qat_qconfig(), inplace: true);
        var before = net.named_parameters().Where(p => p.name != "conv2.0.bias").Select(p => p.parameter.clone()).ToList(); // a bias before a batch norm has no gradient
        QatNets.Step(net, optimizer, random);
        Assert.All(net.named_parameters().Where(p => p.name != "conv2.0.bias").Zip(before), p => Assert.NotEqual(p.Second, p.First.parameter));
    }

    [Fact]
    public void A_float_checkpoint_loads_into_the_prepared_model()
    {
        using var scope = NewDisposeScope();
        using var trained = QatNets.Float(7);
        quantization.fuse_modules_qat(trained, QatNets.Sequences, inplace: true);
        using var net = QatNets.Prepared(8);
        var (missing, unexpected) = net.load_state_dict(trained.state_dict(), strict: false);
        Assert.Empty(unexpected);
        Assert.All(missing, name => Assert.Contains("_process.", name.Replace("weight_fake_quant.", "_process.", StringComparison.Ordinal), StringComparison.Ordinal));
        foreach (var (name, value) in trained.state_dict())
            Assert.Equal(value, net.state_dict()[name]);
    }

    [Fact]
    public void A_checkpoint_of_the_prepared_model_brings_ranges_scales_and_switches_back()
    {
        using var scope = NewDisposeScope();
        using var trained = QatNets.Trained(3, steps: 4);
        trained.apply(quantization.disable_observer);
        trained.skip.apply(quantization.disable_fake_quant);
        trained.eval();
        using var loaded = QatNets.Prepared(4);
        loaded.load_state_dict(trained.state_dict());
        loaded.eval();
        var x = randn(4, 3, 8, 8);
        Assert.Equal(trained.call(x), loaded.call(x));
        Assert.False(((FakeQuantizeBase)loaded.skip.activation_post_process!).is_fake_quant_enabled);
        Assert.False(((QatModule)loaded.conv1).weight_fake_quant.is_observer_enabled);
        using var fromTrained = quantization.convert(trained);
        using var fromLoaded = quantization.convert(loaded);
        Assert.Equal(fromTrained.call(x), fromLoaded.call(x));
    }

    [Fact]
    public void A_model_in_eval_mode_is_refused_and_stays_as_it_is()
    {
        using var net = QatNets.Float(1);
        net.eval();
        var before = ModelSnapshot.Of(net);
        var refused = Assert.Throws<ArgumentException>(() => quantization.prepare_qat(net, quantization.get_default_qat_qconfig(), inplace: true));
        Assert.StartsWith("prepare_qat only works on models in training mode: call model.train() first", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, ModelSnapshot.Of(net));
    }

    [Fact]
    public void All_refusals_are_listed_with_the_mends()
    {
        using var net = QatNets.Float(1);
        net.qconfig = quantization.get_default_qat_qconfig();
        net.conv1.qconfig = quantization.get_default_qconfig();
        net.fc.qconfig = new QConfig(quantization.get_default_qat_qconfig().activation, quantization.get_default_qconfig().weight);
        var before = ModelSnapshot.Of(net);
        var refused = Assert.Throws<ModuleReplacementException>(() => quantization.prepare_qat(net, inplace: true));
        Assert.Equal(before, ModelSnapshot.Of(net));
        Assert.Equal(2, refused.Refusals.Count);
        Assert.Contains("conv1: the activation observer of its qconfig", refused.Message, StringComparison.Ordinal);
        Assert.Contains("is no fake quantizer", refused.Message, StringComparison.Ordinal);
        Assert.Contains("fc.weight: the weight of its qconfig", refused.Message, StringComparison.Ordinal);
        Assert.Contains("use quantization.get_default_qat_qconfig()", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prepared_model_and_one_without_qconfig_are_refused()
    {
        using var net = QatNets.Float(1);
        Assert.Contains("No module of the model has a qconfig", Assert.Throws<ArgumentException>(() => quantization.prepare_qat(net)).Message, StringComparison.Ordinal);
        using var prepared = QatNets.Prepared(1);
        Assert.Contains("is prepared already", Assert.Throws<ArgumentException>(() => quantization.prepare_qat(prepared, quantization.get_default_qat_qconfig())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Modules_with_a_known_range_get_fixed_qparams()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("quant", new QuantStub()), ("fc", nn.Linear(4, 4)), ("tanh", nn.Tanh()), ("dequant", new DeQuantStub()));
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        Assert.IsType<FixedQParamsFakeQuantize>(((ObservedModule)model[2]).activation_post_process);
        var y = model.call(randn(3, 4));
        Assert.Equal(y, (y * 128).round() / 128);
        using var int8 = quantization.convert(model);
        Assert.IsType<QuantizedActivation>(int8[2]);
    }

    [Fact]
    public void What_was_left_float_and_what_was_never_called_is_known_at_conversion()
    {
        using var scope = NewDisposeScope();
        using var model = new Heads();
        model.left.qconfig = null;
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        Assert.IsType<QatLinear>(model.used);
        Assert.IsType<Linear>(model.left);
        Assert.Contains("has not run", Assert.Throws<ArgumentException>(() => quantization.convert(model)).Message, StringComparison.Ordinal);
        model.call(randn(5, 6));
        var refused = Assert.Throws<ModuleReplacementException>(() => quantization.convert(model));
        Assert.Contains("right: the fake quantizer of its weight has observed nothing", Assert.Single(refused.Refusals), StringComparison.Ordinal);
    }

    [Fact]
    public void Frozen_batch_norms_keep_their_statistics_in_training_mode()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2);
        using var net = QatNets.Trained(2, steps: 2);
        using var optimizer = optim.SGD(net.parameters(), 0.01);
        float[] Statistics() => [.. net.named_buffers().Where(b => b.name.Contains("running", StringComparison.Ordinal)).SelectMany(b => b.buffer.data<float>().ToArray())];
        var before = Statistics();
        net.apply(quantization.freeze_bn_stats);
        net.train();
        QatNets.Step(net, optimizer, random);
        Assert.Equal(before, Statistics());
        net.apply(quantization.update_bn_stats);
        QatNets.Step(net, optimizer, random);
        Assert.NotEqual(before, Statistics());
    }

    [Fact]
    public void An_input_of_the_wrong_shape_is_refused_with_the_path()
    {
        using var net = QatNets.Prepared(1);
        using var x = randn(1, 5, 8, 8);
        Assert.StartsWith("conv1 (QatConvBn): its input has the shape [1, 5, 8, 8], expected [batch, 3, ...]", Assert.Throws<ArgumentException>(() => net.call(x)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_copy_of_a_prepared_model_trains_by_itself()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(2);
        using var net = QatNets.Trained(2, steps: 2);
        using var copy = ModuleTree.Copy(net);
        var x = randn(4, 3, 8, 8);
        net.eval();
        copy.eval();
        var before = net.call(x);
        Assert.Equal(before, copy.call(x));
        copy.train();
        using var optimizer = optim.SGD(copy.parameters(), 0.1);
        net.apply(quantization.disable_observer);
        before = net.call(x);
        for (var step = 0; step < 3; step++)
            QatNets.Step(copy, optimizer, random);
        copy.eval();
        Assert.Equal(before, net.call(x));
        Assert.NotEqual(before, copy.call(x));
        using var int8 = quantization.convert(copy);
        Assert.NotEqual(before, int8.call(x));
    }

    [Fact]
    public void Prepared_modules_print_what_they_hold()
    {
        using var net = QatNets.Prepared(1);
        var text = $"{net.conv1}";
        Assert.StartsWith("QatConvBn(\n  ConvBnReLU2d()\n  (weight_fake_quant): FusedMovingAvgObsFakeQuantize(", text, StringComparison.Ordinal);
        Assert.Contains("(activation_post_process): FusedMovingAvgObsFakeQuantize(", text, StringComparison.Ordinal);
        Assert.StartsWith("QatLinear(\n  Linear(in_features=96, out_features=2, bias=True)\n", $"{net.fc}", StringComparison.Ordinal);
    }

    private sealed class Uncopyable : MTT
    {
        private readonly QuantStub quant = new();
        public MTT fc = nn.Linear(6, 6);
        private readonly DeQuantStub dequant = new();
        private readonly TransformerEncoderLayer attention = nn.TransformerEncoderLayer(6, 2);

        public Uncopyable() : base(nameof(Uncopyable)) => RegisterComponents();

        public override Tensor forward(Tensor input) => dequant.call(fc.call(quant.call(input)));
    }
}
