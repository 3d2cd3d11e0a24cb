using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>What was trained is what is converted.</summary>
public class ConvertedQatTests
{
    [Property(MaxTest = 60, Arbitrary = [typeof(QatCases)])]
    public void A_converted_layer_gives_the_codes_that_were_trained_and_never_more_than_one_beside_them(QatCase sample)
    {
        var (differing, _, most) = Compare(sample);
        Assert.True(most <= 1, $"{differing} codes differ, by at most {most}");
    }

    [Fact]
    public void At_most_one_code_in_a_thousand_differs()
    {
        var cases = QatCases.Any().Sample(60);
        var compared = cases.Select(Compare).ToList();
        Assert.InRange(compared.Sum(c => c.Differing), 0, compared.Sum(c => c.Count) / 1000);
        Assert.InRange(compared.Sum(c => c.Count), 50_000, int.MaxValue);
    }

    [Fact]
    public void A_whole_net_gives_the_codes_that_were_trained()
    {
        using var scope = NewDisposeScope();
        var (differing, count, most) = (0, 0, 0);
        for (var seed = 0; seed < 5; seed++)
        {
            using var net = QatNets.Trained(seed, steps: 10);
            net.eval();
            net.apply(quantization.disable_observer);
            using var int8 = quantization.convert(net);
            var scale = ((FakeQuantize)((QatModule)net.fc).activation_post_process!).scale.item<float>();
            using var random = new Generator((ulong)seed + 100);
            var x = randn([400, 3, 8, 8], generator: random);
            var steps = ((net.call(x) - int8.call(x)) / scale).round().abs();
            (differing, count, most) = (differing + (int)steps.gt(0).sum().item<long>(), count + (int)steps.numel(), Math.Max(most, (int)steps.max().item<float>()));
        }

        Assert.InRange(most, 0, 1);
        Assert.InRange(differing, 0, count / 1000);
    }

    [Fact]
    public void Converting_in_the_middle_of_training_disturbs_nothing()
    {
        using var scope = NewDisposeScope();
        float[] Losses(bool convert)
        {
            using var random = new Generator(5);
            using var net = QatNets.Prepared(5);
            using var optimizer = optim.Adam(net.parameters(), 0.01);
            return [.. Enumerable.Range(0, 6).Select(step =>
            {
                var loss = QatNets.Step(net, optimizer, random);
                if (!convert)
                    return loss;
                var before = Static.ModelSnapshot.Of(net);
                using var int8 = quantization.convert(net);
                Assert.IsType<QuantizedConvolution>(int8.conv1);
                Assert.False(int8.training);
                Assert.Equal(before, Static.ModelSnapshot.Of(net));
                return loss;
            })];
        }

        Assert.Equal(Losses(convert: false), Losses(convert: true));
    }

    [Fact]
    public void From_training_mode_and_from_eval_the_same_model_is_converted()
    {
        using var scope = NewDisposeScope();
        using var net = QatNets.Trained(3, steps: 3);
        using var fromTraining = quantization.convert(net);
        net.eval();
        using var fromEval = quantization.convert(net);
        var x = randn(4, 3, 8, 8);
        Assert.Equal(fromTraining.call(x), fromEval.call(x));
        Assert.IsType<Quantize>(fromEval.quant);
        Assert.IsType<QuantizedConvolution>(fromEval.conv1);
        Assert.IsType<Identity>(fromEval.bn1);
        Assert.IsType<QFunctional>(fromEval.skip);
        Assert.IsType<QuantizedLinear>(fromEval.fc);
        Assert.IsType<DeQuantize>(fromEval.dequant);
    }

    [Fact]
    public void What_lies_outside_a_reduced_range_saturates_in_int8_as_in_training_also_from_a_file()
    {
        using var scope = NewDisposeScope();
        using var net = QatNets.Float(6);
        quantization.fuse_modules_qat(net, QatNets.Sequences, inplace: true);
        quantization.prepare_qat(net, quantization.get_default_qat_qconfig("fbgemm"), inplace: true);
        using var random = new Generator(6);
        using var optimizer = optim.SGD(net.parameters(), 0.02);
        for (var step = 0; step < 3; step++)
            QatNets.Step(net, optimizer, random);
        net.eval();
        net.apply(quantization.disable_observer);
        using var int8 = quantization.convert(net);
        var x = randn([50, 3, 8, 8], generator: random) * 5;
        var y = int8.call(x);
        Assert.Equal(net.call(x), y);
        Assert.Equal(127, int8.quant.call(x).int_repr().max().item<byte>());
        Assert.Equal(127, int8.conv1.call(int8.quant.call(x)).int_repr().max().item<byte>());

        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var loaded = quantization.load(new QatNet(), file);
        Assert.Equal(y, loaded.call(x));
    }

    [Fact]
    public void A_reference_model_of_what_was_trained_differs_by_one_code_at_most()
    {
        using var scope = NewDisposeScope();
        using var net = QatNets.Trained(4, steps: 3);
        using var int8 = quantization.convert(net);
        using var reference = quantization.convert(net, is_reference: true);
        var x = randn(4, 3, 8, 8);
        var scale = ((QuantizedLinear)int8.fc).scale;
        Assert.InRange(((int8.call(x) - reference.call(x)) / scale).abs().max().item<float>(), 0, 1.01f);
    }

    [Fact]
    public void A_channel_whose_gamma_is_zero_trains_and_gives_beta()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("quant", new QuantStub()), ("conv", nn.Conv2d(2, 3, 3)), ("bn", nn.BatchNorm2d(3)), ("dequant", new DeQuantStub()));
        var norm = (BatchNorm2d)model[2];
        using (no_grad())
        {
            norm.weight.fill_(0);
            norm.bias!.copy_(tensor([-1f, 0, 2]));
        }

        quantization.fuse_modules_qat(model, ["conv", "bn"], inplace: true);
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        var x = randn(4, 2, 6, 6);
        (model.call(x) * randn(4, 3, 4, 4)).sum().backward();
        Assert.True(norm.weight.grad!.isfinite().all().item<bool>());
        Assert.True(norm.weight.grad!.abs().min().item<float>() > 0);
        using var int8 = quantization.convert(model);
        var y = int8.call(x);
        Assert.InRange((y - tensor([-1f, 0, 2]).reshape(1, 3, 1, 1)).abs().max().item<float>(), 0, 0.02f);
    }

    private static (int Differing, int Count, int Most) Compare(QatCase sample)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)sample.Seed);
        using var trained = sample.Trained(random);
        using var int8 = quantization.convert(trained);
        var scale = ((FakeQuantize)((QatModule)trained[1]).activation_post_process!).scale.item<float>();
        var x = sample.Batch(random);
        var actual = int8.call(x);
        Assert.Equal(actual, trained.call(x)); // in eval mode it computes with the integers
        trained.train();
        trained.apply(quantization.freeze_bn_stats);
        var expected = trained.call(x);
        Assert.Equal(expected.shape, actual.shape);
        var steps = ((expected - actual) / scale).round().abs();
        return ((int)steps.gt(0).sum().item<long>(), (int)steps.numel(), (int)steps.max().item<float>());
    }
}
