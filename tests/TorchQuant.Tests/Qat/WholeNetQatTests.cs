using FsCheck.Xunit;
using TorchQuant.Models;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>Whole networks in quantization-aware training give, in eval mode, the codes of the converted model.</summary>
[Collection(nameof(Alone))]
public class WholeNetQatTests
{
    public static TheoryData<string, string, int> Models
    {
        get
        {
            var data = new TheoryData<string, string, int>();
            foreach (var model in (string[])["resnet18", "mobilenet_v2"])
                foreach (var backend in (string[])["fbgemm", "x86", "qnnpack"])
                    foreach (var version in (int[])[0, 1])
                        data.Add(model, backend, version);
            return data;
        }
    }

    [Property(MaxTest = 100, Arbitrary = [typeof(RandomQatCase)])]
    public void A_random_net_gives_in_eval_the_codes_of_the_converted_one(RandomQatCase sample)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)sample.Seed);
        manual_seed(sample.Seed);
        using var net = new RandomQatNet(sample);
        quantization.fuse_modules_qat(net, net.Sequences, inplace: true);
        quantization.prepare_qat(net, quantization.get_default_qat_qconfig(sample.Backend, sample.Version), inplace: true);
        using var optimizer = optim.SGD([.. net.parameters(), nn.Parameter(zeros(1))], 0.01); // a net of activations alone has none
        for (var step = 0; step < 3; step++)
        {
            if (sample.Frozen && step == 2)
                net.apply(quantization.freeze_bn_stats);
            optimizer.zero_grad();
            net.call(sample.Batch(random).requires_grad_()).pow(2).mean().backward();
            optimizer.step();
        }

        net.eval();
        net.apply(quantization.disable_observer);
        using var int8 = quantization.convert(net, allow_unfused: true);
        var x = sample.Batch(random) * 1.5; // beyond the range that was observed
        var (differing, count, most) = Difference(net.call(x), int8.call(x), int8.OutputScale);
        Assert.True(most <= 1 && differing <= count / 1000, $"{sample}: {differing} of {count} codes differ, by at most {most}");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_gives_in_eval_the_codes_of_the_converted_one(string name, string backend, int version)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(8);
        manual_seed(8);
        using var model = Make(name);
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(backend, version), inplace: true);
        using var optimizer = optim.SGD(model.parameters(), 0.01);
        for (var step = 0; step < 4; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.call(randn([8, 1, 16, 16], generator: random)), randint(0, 10, [8], generator: random)).backward();
            optimizer.step();
        }

        model.eval();
        model.apply(quantization.disable_observer);
        using var int8 = quantization.convert(model);
        var scale = ((QuantizedLinear)ModuleTree.Walk(int8).Last(m => m.Module is QuantizedLinear).Module).scale;
        var (x, withoutGradient) = (randn([128, 1, 16, 16], generator: random), no_grad());
        var plain = model.call(x);
        withoutGradient.Dispose();
        var (differing, count, most) = Difference(plain, int8.call(x), scale);
        Assert.True(most <= 1 && differing <= count / 1000, $"{differing} of {count} codes differ, by at most {most}");
        Assert.Equal(plain, model.call(x)); // with gradients
    }

    private static nn.Module<Tensor, Tensor> Make(string name)
    {
        if (name == "resnet18")
        {
            var resnet = ResNet.resnet18(10, in_channels: 1, width: 8, smallImages: true);
            resnet.fuse_model(is_qat: true);
            return resnet;
        }

        var mobilenet = new MobileNetV2(num_classes: 10, inverted_residual_setting: [(1, 16, 1, 1), (4, 24, 2, 2), (4, 32, 3, 2)], in_channels: 1, stemChannels: 16, stemStride: 1, lastChannels: 64);
        mobilenet.fuse_model(is_qat: true);
        return mobilenet;
    }

    private static (long Differing, long Count, float Most) Difference(Tensor expected, Tensor actual, double scale)
    {
        Assert.Equal(expected.shape, actual.shape);
        var steps = ((expected - actual) / scale).round().abs();
        return (steps.gt(0).sum().item<long>(), steps.numel(), steps.max().item<float>());
    }
}
