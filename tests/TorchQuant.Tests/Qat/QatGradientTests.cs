using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Qat;

/// <summary>Outputs and gradients equal those of the same formula written in torch's operators.</summary>
public class QatGradientTests
{
    [Property(MaxTest = 25)]
    public void A_linear_is_the_composition(int seed, bool bias, bool relu) => Check(seed, random =>
    {
        var linear = nn.Linear(5, 4, bias);
        return (relu ? (["layer", "act"], [linear, nn.ReLU()]) : (["layer"], [linear]), randn([6, 5], generator: random), (module, x, weightFq) =>
        {
            var y = F.linear(x, StraightThroughComposition.FakeQuant(linear.weight, weightFq), linear.bias);
            return relu ? y.relu() : y;
        }
        );
    });

    [Property(MaxTest = 25)]
    public void A_convolution_is_the_composition(int seed, bool bias, bool grouped) => Check(seed, random =>
    {
        var conv = nn.Conv2d(2, 4, 3, stride: 2, padding: 1, groups: grouped ? 2 : 1, bias: bias);
        return ((["layer"], [conv]), randn([3, 2, 6, 5], generator: random), (module, x, weightFq) =>
            F.conv2d(x, StraightThroughComposition.FakeQuant(conv.weight, weightFq), conv.bias, [2, 2], [1, 1], [1, 1], grouped ? 2 : 1));
    });

    [Property(MaxTest = 25)]
    public void A_convolution_with_its_batch_norm_is_the_composition(int seed, bool bias, bool frozen) => Check(seed, random =>
    {
        var conv = nn.Conv2d(2, 4, 3, bias: bias);
        var norm = nn.BatchNorm2d(4);
        return ((["layer", "norm", "act"], [conv, norm, nn.ReLU()]), randn([3, 2, 6, 5], generator: random), (module, x, weightFq) =>
        {
            if (frozen)
                ((QatConvBn)module).freeze_bn_stats();
            var factor = norm.weight * (norm.running_var! + norm.eps).rsqrt();
            var weight = StraightThroughComposition.FakeQuant(conv.weight * factor.reshape(-1, 1, 1, 1), weightFq);
            var y = F.conv2d(x, weight, null, [1, 1], [0, 0], [1, 1]) / factor.reshape(1, -1, 1, 1);
            if (bias)
                y += conv.bias!.reshape(1, -1, 1, 1);
            return F.batch_norm(y, norm.running_mean!.clone(), norm.running_var!.clone(), norm.weight, norm.bias, !frozen, 0.1, norm.eps).relu();
        }
        );
    });

    [Property(MaxTest = 25)]
    public void A_transposed_convolution_is_the_composition(int seed, bool grouped) => Check(seed, random =>
    {
        var (groups, conv) = (grouped ? 2 : 1, nn.ConvTranspose2d(4, 6, 3, stride: 2, padding: 1, groups: grouped ? 2 : 1));
        return ((["layer"], [conv]), randn([2, 4, 3, 4], generator: random), (module, x, weightFq) =>
        {
            var split = conv.weight.chunk(groups, 0).Select(part => part.transpose(0, 1)); // the output channels of each group first
            var moved = StraightThroughComposition.FakeQuant(cat([.. split], 0), weightFq).chunk(groups, 0).Select(part => part.transpose(0, 1));
            return F.conv_transpose2d(x, cat([.. moved], 0), conv.bias, [2, 2], [1, 1], [0, 0], [1, 1], groups);
        }
        );
    });

    private static void Check(
        int seed, Func<Generator, ((string[] Names, MTT[] Modules) Net, Tensor Input, Func<QatModule, Tensor, FakeQuantizeBase, Tensor> Composition)> make)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed);
        var ((names, modules), input, composition) = make(random);
        using var model = nn.Sequential([.. names.Zip(modules)]);
        if (names.Length > 1)
            quantization.fuse_modules_qat(model, names, inplace: true);
        using (no_grad())
            foreach (var parameter in model.parameters())
                parameter.copy_(randn(parameter.shape, generator: random));
        quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
        var module = (QatModule)model[0];
        model.call(input * 0.7); // so that values outside the range occur
        model.apply(quantization.disable_observer);
        model.zero_grad();

        var x = input.clone().requires_grad_();
        var expectedInput = input.clone().requires_grad_();
        var expected = StraightThroughComposition.FakeQuant(composition(module, expectedInput, module.weight_fake_quant), (FakeQuantizeBase)module.activation_post_process!);
        var weights = randn(expected.shape, generator: random);
        (expected * weights).sum().backward();
        var gradients = model.parameters().Select(p => p.grad!.clone()).ToList();
        model.zero_grad();
        var actual = module.call(x);
        (actual * weights).sum().backward();

        Near(expected, actual, 1.01f * ((FakeQuantize)module.activation_post_process!).scale.item<float>(), share: 0.01);
        Near(expectedInput.grad!, x.grad!, Bound(expectedInput.grad!), share: 0);
        foreach (var (wanted, parameter) in gradients.Zip(model.parameters()))
            Near(wanted, parameter.grad!, Bound(wanted), share: 0);
        Assert.True(x.grad!.abs().max().item<float>() > 0);
    }

    /// <summary>Float32 sums in another order; a bias before a batch norm has a gradient of rounding errors only.</summary>
    private static float Bound(Tensor gradient) => (2e-4f * gradient.abs().max().item<float>()) + 2e-4f;

    /// <summary>Equal but for rounding, where a share of the elements may be as far apart as the bound.</summary>
    private static void Near(Tensor expected, Tensor actual, float bound, double share)
    {
        var difference = (expected - actual).abs();
        Assert.InRange(difference.max().item<float>(), 0, bound);
        if (share > 0)
            Assert.InRange(difference.gt(1e-4f * expected.abs().max()).sum().item<long>(), 0, Math.Max(1, (long)(share * expected.numel())));
    }
}
