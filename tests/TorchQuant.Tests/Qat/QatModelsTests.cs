using TorchQuant.Models;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>The library's models in quantization-aware training.</summary>
[Collection(nameof(Alone))]
public class QatModelsTests
{
    public static TheoryData<string> Names { get; } = ["resnet18", "resnet50", "mobilenet_v2"];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_model_is_fused_for_training_trained_and_converted(string name)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(6);
        using var model = Make(name);
        using var plain = ModuleTree.Copy(model);
        plain.eval(); // without dropout
        var (x, labels) = (randn([4, 1, 16, 16], generator: random), randint(0, 10, [4], generator: random));
        using var optimizer = optim.SGD(model.parameters(), 0.01);
        Fuse(model);
        model.eval();
        Assert.Equal(plain.call(x), model.call(x));
        model.train();
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        Assert.DoesNotContain(ModuleTree.Walk(model), m => m.Module is Conv2d && !m.Path.Contains(".module", StringComparison.Ordinal));
        var before = model.parameters().Select(p => p.clone()).ToList();
        for (var step = 0; step < 3; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.call(x), labels).backward();
            optimizer.step();
        }

        Assert.All(model.parameters().Zip(before), p => Assert.NotEqual(p.Second, p.First));
        model.eval();
        model.apply(quantization.disable_observer);
        using var int8 = quantization.convert(model);
        Assert.DoesNotContain(ModuleTree.Walk(int8), m => m.Module is Convolution or BatchNorm or QatModule or FakeQuantizeBase);
        Assert.Equal(int8.call(x), model.call(x));
    }

    private static nn.Module<Tensor, Tensor> Make(string name)
    {
        random.manual_seed(5);
        return name switch
        {
            "resnet18" => ResNet.resnet18(10, in_channels: 1, width: 8, smallImages: true),
            "resnet50" => ResNet.resnet50(10, in_channels: 1, width: 8, smallImages: true),
            _ => new MobileNetV2(num_classes: 10, inverted_residual_setting: [(1, 16, 1, 1), (4, 24, 2, 2)], in_channels: 1, stemChannels: 16, stemStride: 1, lastChannels: 64),
        };
    }

    private static void Fuse(nn.Module model)
    {
        if (model is ResNet resnet)
            resnet.fuse_model(is_qat: true);
        else
            ((MobileNetV2)model).fuse_model(is_qat: true);
    }
}
