using TorchQuant.Models;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public class ResNetTests
{
    [Fact]
    public void The_parameters_are_as_many_as_torchvisions()
    {
        using var resnet18 = ResNet.resnet18();
        using var resnet50 = ResNet.resnet50();
        Assert.Equal(11_689_512, resnet18.parameters().Sum(p => p.numel()));
        Assert.Equal(25_557_032, resnet50.parameters().Sum(p => p.numel()));
    }

    [Fact]
    public void The_names_and_shapes_of_the_state_are_torchvisions()
    {
        using var resnet18 = ResNet.resnet18();
        using var resnet50 = ResNet.resnet50();
        var (small, large) = (resnet18.state_dict(), resnet50.state_dict());
        Assert.Equal(122, small.Count);
        Assert.Equal(320, large.Count);
        Assert.Equal([64, 3, 7, 7], small["conv1.weight"].shape);
        Assert.Equal([64], small["bn1.running_mean"].shape);
        Assert.Equal([64, 64, 3, 3], small["layer1.0.conv1.weight"].shape);
        Assert.DoesNotContain("layer1.0.downsample.0.weight", small.Keys);
        Assert.Equal([128, 64, 1, 1], small["layer2.0.downsample.0.weight"].shape);
        Assert.Equal([128], small["layer2.0.downsample.1.running_var"].shape);
        Assert.Equal([512, 512, 3, 3], small["layer4.1.conv2.weight"].shape);
        Assert.Equal([1000, 512], small["fc.weight"].shape);
        Assert.Equal([256, 64, 1, 1], large["layer1.0.downsample.0.weight"].shape);
        Assert.Equal([128, 128, 3, 3], large["layer2.0.conv2.weight"].shape);
        Assert.Equal([2048], large["layer4.2.bn3.bias"].shape);
        Assert.Equal([1000, 2048], large["fc.weight"].shape);
    }

    [Fact]
    public void Images_give_scores_at_any_size_and_in_grey()
    {
        using var scope = NewDisposeScope();
        using var resnet18 = ResNet.resnet18();
        resnet18.eval();
        Assert.Equal([1, 1000], resnet18.call(randn(1, 3, 224, 224)).shape);
        using var small = Small();
        small.eval();
        Assert.Null(small.maxpool);
        Assert.Equal([2, 10], small.call(randn(2, 1, 28, 28)).shape);
        using var bottleneck = ResNet.resnet50(num_classes: 7, in_channels: 1, width: 8, smallImages: true);
        bottleneck.eval();
        Assert.Equal([2, 7], bottleneck.call(randn(2, 1, 28, 28)).shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fused_model_equals_unfused_in_eval(bool bottleneck)
    {
        using var model = Small(bottleneck);
        using var data = Data();
        ModelClaims.Fused_equals_unfused(model, m => ((ResNet)m).fuse_model(), data);
    }

    [Fact]
    public void A_model_in_training_mode_is_not_fused()
    {
        using var model = Small();
        Assert.Throws<ModuleFusionException>(() => model.fuse_model());
        Assert.Contains(model.modules(), m => m is BatchNorm2d);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_layer_of_a_converted_model_computes_in_int8(bool bottleneck)
    {
        using var model = Small(bottleneck);
        using var data = Data();
        ModelClaims.Converted_computes_every_layer_in_int8(model, m => ((ResNet)m).fuse_model(), data);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Forwards_leave_no_tensors_behind(bool bottleneck)
    {
        using var model = Small(bottleneck);
        using var data = Data();
        ModelClaims.Forwards_leave_no_tensors(model, data);
    }

    [Fact]
    public void It_learns()
    {
        using var model = Small();
        Learning.Lowers_the_loss(model);
    }

    [Fact]
    public void Numbers_that_make_no_model_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ResNet.resnet18(width: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ResNet.resnet50(num_classes: 0));
    }

    private static ResNet Small(bool bottleneck = false)
    {
        random.manual_seed(5);
        return bottleneck ? ResNet.resnet50(10, in_channels: 1, width: 8, smallImages: true) : ResNet.resnet18(10, in_channels: 1, width: 8, smallImages: true);
    }

    private static Tensor Data()
    {
        using var generator = new Generator(6);
        return randn(16, 1, 28, 28, generator: generator);
    }
}
