using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.FakeQuantization;

public class FakeQuantizeTests
{
    [Fact]
    public void Values_and_gradients_are_those_of_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var module = new LearnableFakeQuantize(MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric, quant_min: -8, quant_max: 7));
        module.enable_param_learning();
        using (no_grad())
            module.scale.fill_(0.1f);
        var x = tensor([-2f, -0.3f, 0.24f, 1.9f], requires_grad: true);
        var y = module.call(x);
        y.sum().backward();
        Near([-0.8f, -0.3f, 0.2f, 0.7f], y);
        Assert.Equal([0f, 1, 1, 0], x.grad!.data<float>());
        Near([-1.4f], module.scale.grad!);
        Near([-0.2f], module.zero_point.grad!);
    }

    [Property(MaxTest = 60)]
    public bool The_straight_through_gradient_is_one_within_the_range_and_zero_outside(int seed, bool perChannel, bool isSigned)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed);
        var observer = (perChannel, isSigned) switch
        {
            (false, false) => MovingAverageMinMaxObserver.with_args(quant_min: 0, quant_max: 127),
            (false, true) => MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric),
            (true, false) => PerChannelMinMaxObserver.with_args(ch_axis: 1),
            (true, true) => MovingAveragePerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric, ch_axis: 1),
        };
        using var module = new FakeQuantize(observer);
        module.call(randn([3, 5, 7], generator: random));
        module.disable_observer();
        var x = (randn([3, 5, 7], generator: random) * 3).requires_grad_();
        var weights = randn([3, 5, 7], generator: random);
        var y = module.call(x);
        (y * weights).sum().backward();
        long[] broadcast = perChannel ? [1, 5, 1] : [1];
        var (scale, zero) = (module.scale.reshape(broadcast), module.zero_point.reshape(broadcast).to(ScalarType.Float32));
        var codes = (x * (1 / scale)).round() + zero;
        var inside = codes.ge(module.quant_min).logical_and(codes.le(module.quant_max)).to(ScalarType.Float32);
        var expected = (codes.clamp(module.quant_min, module.quant_max) - zero) * scale;
        return y.Equals(expected.detach()) && x.grad!.Equals(weights * inside) && inside.min().item<float>() == 0;
    }

    [Fact]
    public void What_was_trained_is_what_is_converted()
    {
        // PyTorch's fused operator would fake-quantize this weight with 0.0043 and zero point -128, and convert it with 0.0086 and 0.
        using var module = new FusedMovingAvgObsFakeQuantize(MovingAverageMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric));
        using var weight = tensor([0.1f, 0.5f, 1.1f]);
        module.call(weight).Dispose();
        var (scale, zeroPoint) = module.calculate_qparams();
        Assert.Equal(scale.item<float>(), module.scale.item<float>());
        Assert.Equal(1.1f / 127.5f, scale.item<float>());
        Assert.Equal(0, zeroPoint.item<long>());
        Assert.Equal(0, module.zero_point.item<int>());
    }

    [Fact]
    public void The_switches_stop_observing_and_fake_quantizing()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("fq", new FakeQuantize(MovingAverageMinMaxObserver.with_args())), ("relu", nn.ReLU()));
        var fq = (FakeQuantize)model.children().First();
        var x = tensor([-1f, 3]);
        model.call(x);
        var before = fq.scale.item<float>();
        model.apply(quantization.disable_observer);
        model.call(x * 10);
        Assert.Equal(before, fq.scale.item<float>());
        model.apply(quantization.disable_fake_quant);
        Assert.Equal(tensor([-123f, 7.001f]), fq.call(tensor([-123f, 7.001f])));
        model.apply(quantization.enable_fake_quant);
        model.apply(quantization.enable_observer);
        Assert.NotEqual(tensor([-123f, 7.001f]), fq.call(tensor([-123f, 7.001f])));
        Assert.NotEqual(before, fq.scale.item<float>());
    }

    [Fact]
    public void Scales_switches_and_ranges_are_saved_and_loaded()
    {
        using var scope = NewDisposeScope();
        var factory = FakeQuantize.with_args(MovingAveragePerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric));
        using var trained = nn.Sequential(("fq", factory.Create()));
        using var fresh = nn.Sequential(("fq", factory.Create()));
        var x = randn(4, 6);
        trained.call(x);
        trained.apply(quantization.disable_observer);
        ((FakeQuantizeBase)fresh.children().First()).Reserve(x.shape);
        fresh.load_state_dict(trained.state_dict());
        Assert.False(((FakeQuantizeBase)fresh.children().First()).is_observer_enabled);
        Assert.Equal(trained.call(x * 2), fresh.call(x * 2));
    }

    [Fact]
    public void Grad_scaling_divides_by_the_root_of_elements_times_codes()
    {
        using var scope = NewDisposeScope();
        var gradients = new[] { false, true }.Select(scaling =>
        {
            var module = new LearnableFakeQuantize(MinMaxObserver.with_args(quant_min: 0, quant_max: 15), use_grad_scaling: scaling);
            var x = tensor([-1f, 0.3f, 0.9f, 40]);
            module.call(x);
            module.enable_param_learning();
            (module.call(x) * tensor([1f, 2, 3, 4])).sum().backward();
            return module.scale.grad!.item<float>();
        }).ToList();
        Assert.Equal(gradients[0] / MathF.Sqrt(4 * 15), gradients[1], 1e-5f * Math.Abs(gradients[0]));
    }

    [Fact]
    public void Learning_the_step_brings_the_values_nearer_than_the_observer_did()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(8);
        var x = cat([randn(400, generator: random), tensor([25f])]); // an outlier spoils the range that min-max chooses for 4 bits
        using var module = new LearnableFakeQuantize(MinMaxObserver.with_args(quant_min: 0, quant_max: 15));
        module.call(x);
        module.enable_param_learning();
        float Loss() => (module.call(x) - x).slice(0, 0, 400, 1).pow(2).mean().item<float>();
        var before = Loss();
        using var optimizer = optim.SGD(module.parameters(), 0.05);
        for (var step = 0; step < 200; step++)
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            (module.call(x) - x).slice(0, 0, 400, 1).pow(2).mean().backward();
            optimizer.step();
        }

        Assert.InRange(Loss(), 0, before / 3);
    }

    [Fact]
    public void NaN_and_observers_without_codes_are_refused()
    {
        using var module = new FakeQuantize(MovingAverageMinMaxObserver.with_args());
        using var good = tensor([1f, 2]);
        using var bad = tensor([1f, float.NaN]);
        module.call(good).Dispose();
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => module.call(bad)).Message);
        module.disable_observer();
        Assert.Contains("has the training diverged?", Assert.Throws<ArgumentException>(() => module.call(bad)).Message);
        Assert.Contains("PlaceholderObserver", Assert.Throws<ArgumentException>(() => new FakeQuantize(PlaceholderObserver.with_args())).Message);
        Assert.Contains("moving-average observer, found HistogramObserver", Assert.Throws<ArgumentException>(() => new FusedMovingAvgObsFakeQuantize(HistogramObserver.with_args())).Message);
        Assert.Contains("FixedQParamsObserver", Assert.Throws<ArgumentException>(() => new FixedQParamsFakeQuantize(MinMaxObserver.with_args())).Message);
    }

    private static void Near(float[] expected, Tensor actual) =>
        Assert.All(expected.Zip(actual.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
}
