using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>Blocks of known networks, wired as torchvision wires them.</summary>
public class FoundInNetworksTests
{
    [Fact]
    public void ResNet_blocks_fuse_all_but_the_ReLU_that_is_called_twice()
    {
        using var model = nn.Sequential(
            ("stem", nn.Sequential(("conv1", nn.Conv2d(3, 8, 3, padding: 1, bias: false)), ("bn1", nn.BatchNorm2d(8)), ("relu", nn.ReLU(inplace: true)), ("maxpool", nn.MaxPool2d(2)))),
            ("layer1", new ResidualBlock(8, 8)), ("layer2", new ResidualBlock(8, 16, stride: 2)), ("pool", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten()), ("fc", nn.Linear(16, 5)));
        var report = Fused(model, rand(2, 3, 16, 16));
        Assert.Equal(
            """
            modules                               types                      fused into  not fused because
            ------------------------------------  -------------------------  ----------  -------------------------------------------------------------------------
            stem.conv1, stem.bn1, stem.relu       Conv2d, BatchNorm2d, ReLU  ConvReLU2d
            layer1.conv1, layer1.bn1              Conv2d, BatchNorm2d        Conv2d
            layer1.conv2, layer1.bn2              Conv2d, BatchNorm2d        Conv2d
            layer2.conv1, layer2.bn1              Conv2d, BatchNorm2d        Conv2d
            layer2.conv2, layer2.bn2              Conv2d, BatchNorm2d        Conv2d
            layer2.downsample.0, layer2.downsample.1  Conv2d, BatchNorm2d        Conv2d
            layer1.conv1, layer1.bn1, layer1.relu  Conv2d, BatchNorm2d, ReLU              layer1.relu is called 2 times; give each sequence a ReLU of its own
            layer2.conv1, layer2.bn1, layer2.relu  Conv2d, BatchNorm2d, ReLU              layer2.relu is called 2 times; give each sequence a ReLU of its own
            """.Split('\n').Select(Squeezed).Skip(2), report.ToString().TrimEnd().Split('\n').Select(Squeezed).Skip(2));
    }

    [Fact]
    public void MobileNetV2_blocks_fuse_ReLU6()
    {
        using var model = nn.Sequential(("0", ConvNormReLU6(3, 8, 3, 2)), ("1", new InvertedResidual(8, 8, 1)), ("2", new InvertedResidual(8, 12, 2)), ("3", new InvertedResidual(12, 12, 1)));
        var report = Fused(model, randn(2, 3, 16, 16));
        Assert.Empty(report.NotFused);
        Assert.Equal(1 + (3 * 3), report.Fused.Count);
        Assert.Equal(7, report.Fused.Count(f => f.FusedType == typeof(Conv2dReLU6)));
        Assert.Equal(["1.conv.2", "1.conv.3"], report.Fused[3].Names); // the projection has no activation
    }

    [Fact]
    public void MobileNetV3_and_one_and_three_dimensions_and_linear_heads_are_found()
    {
        using var hard = nn.Sequential(("conv", nn.Conv2d(3, 4, 1)), ("norm", nn.BatchNorm2d(4)), ("act", nn.Hardswish(inplace: true)), ("flat", nn.Flatten()), ("fc", nn.Linear(16, 4)), ("act2", nn.ReLU6()));
        Assert.Equal([typeof(Conv2dHardswish), typeof(LinearReLU6)], Fused(hard, randn(2, 3, 2, 2)).Fused.Select(f => f.FusedType));
        using var sound = nn.Sequential(("up", nn.ConvTranspose1d(2, 4, 3)), ("norm", nn.BatchNorm1d(4)), ("conv", nn.Conv1d(4, 4, 3)), ("relu", nn.ReLU()), ("flat", nn.Flatten()), ("fc", nn.Linear(24, 3)), ("norm2", nn.BatchNorm1d(3)));
        Assert.Equal([typeof(ConvTranspose1d), typeof(ConvReLU1d), typeof(Linear)], Fused(sound, randn(2, 2, 6)).Fused.Select(f => f.FusedType));
        using var volume = nn.Sequential(("norm", nn.BatchNorm3d(2)), ("relu", nn.ReLU()), ("conv", nn.Conv3d(2, 2, 1)), ("norm2", nn.BatchNorm3d(2)), ("act", nn.ReLU6()));
        Assert.Equal([typeof(BNReLU3d), typeof(Conv3dReLU6)], Fused(volume, randn([2, 2, 2, 2, 2])).Fused.Select(f => f.FusedType));
    }

    private static string Squeezed(string row) => string.Join(' ', row.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Trim();

    /// <summary>Random statistics, then fused; the outputs must stay.</summary>
    private static FusionReport Fused(Sequential model, Tensor x)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var generator = new Generator(1);
        model.eval();
        foreach (var (name, buffer) in model.named_buffers())
            if (buffer.numel() > 1) buffer.uniform_(name.EndsWith("var", StringComparison.Ordinal) ? 0.5 : -0.5, 1.5, generator);
        foreach (var parameter in model.parameters().Where(p => p.dim() > 1)) parameter.uniform_(-0.4, 0.4, generator);
        var expected = model.call(x);
        using var fused = quantization.fuse_modules(model, x, out var report);
        var actual = fused.call(x);
        Assert.True(expected.allclose(actual, 1e-3, 1e-5 * expected.abs().max().item<float>()));
        x.Dispose();
        return report;
    }

    private static Sequential ConvNormReLU6(long inputs, long outputs, long kernel, long stride, long groups = 1)
        => nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel / 2, groups: groups, bias: false), nn.BatchNorm2d(outputs), nn.ReLU6(inplace: true));

    private sealed class ResidualBlock : MTT
    {
        private readonly MTT conv1, bn1, relu, conv2, bn2;
        private readonly Sequential? downsample;

        public ResidualBlock(long inputs, long outputs, long stride = 1) : base(nameof(ResidualBlock))
        {
            (conv1, bn1, relu) = (nn.Conv2d(inputs, outputs, 3, stride, 1, bias: false), nn.BatchNorm2d(outputs), nn.ReLU(inplace: true));
            (conv2, bn2) = (nn.Conv2d(outputs, outputs, 3, 1, 1, bias: false), nn.BatchNorm2d(outputs));
            if (stride != 1) downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias: false), nn.BatchNorm2d(outputs));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = relu.forward(bn1.forward(conv1.forward(input)));
            x = bn2.forward(conv2.forward(x));
            x.add_(downsample?.forward(input) ?? input);
            return relu.forward(x).MoveToOuterDisposeScope();
        }
    }

    private sealed class InvertedResidual : MTT
    {
        private readonly Sequential conv;
        private readonly bool _residual;

        public InvertedResidual(long inputs, long outputs, long stride) : base(nameof(InvertedResidual))
        {
            _residual = stride == 1 && inputs == outputs;
            conv = nn.Sequential(ConvNormReLU6(inputs, inputs * 2, 1, 1), ConvNormReLU6(inputs * 2, inputs * 2, 3, stride, inputs * 2), nn.Conv2d(inputs * 2, outputs, 1, bias: false), nn.BatchNorm2d(outputs));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var x = conv.call(input);
            if (!_residual) return x;
            using (x) return input + x;
        }
    }
}
