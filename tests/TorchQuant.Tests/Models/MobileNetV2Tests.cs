using TorchQuant.Models;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public class MobileNetV2Tests
{
    [Fact]
    public void The_parameters_are_as_many_as_torchvisions()
    {
        using var model = new MobileNetV2();
        Assert.Equal(3_504_872, model.parameters().Sum(p => p.numel()));
    }

    [Fact]
    public void The_names_and_shapes_of_the_state_are_torchvisions()
    {
        using var model = new MobileNetV2();
        var state = model.state_dict();
        Assert.Equal(314, state.Count);
        long[] Shape(string name) => state[name].shape;
        Assert.Equal([32, 3, 3, 3], Shape("features.0.0.weight"));
        Assert.Equal([32], Shape("features.0.1.running_var"));
        Assert.Equal([32, 1, 3, 3], Shape("features.1.conv.0.0.weight"));
        Assert.Equal([16, 32, 1, 1], Shape("features.1.conv.1.weight"));
        Assert.Equal([16], Shape("features.1.conv.2.bias"));
        Assert.Equal([96, 16, 1, 1], Shape("features.2.conv.0.0.weight"));
        Assert.Equal([96, 1, 3, 3], Shape("features.2.conv.1.0.weight"));
        Assert.Equal([24, 96, 1, 1], Shape("features.2.conv.2.weight"));
        Assert.Equal([24], Shape("features.2.conv.3.running_mean"));
        Assert.Equal([320, 960, 1, 1], Shape("features.17.conv.2.weight"));
        Assert.Equal([1280, 320, 1, 1], Shape("features.18.0.weight"));
        Assert.Equal([], Shape("features.18.1.num_batches_tracked"));
        Assert.Equal([1000, 1280], Shape("classifier.1.weight"));
        Assert.Equal([1000], Shape("classifier.1.bias"));
    }

    [Theory]
    [InlineData(0.75, 2_636_424)] // torchvision: mobilenet_v2(width_mult=0.75)
    [InlineData(1.4, 6_108_776)] // torchvision: mobilenet_v2(width_mult=1.4)
    public void The_width_multiplier_rounds_channels_as_torchvision_does(double width, long parameters)
    {
        using var model = new MobileNetV2(width_mult: width);
        Assert.Equal(parameters, model.parameters().Sum(p => p.numel()));
    }

    [Fact]
    public void Images_give_scores_at_any_size_and_in_grey()
    {
        using var scope = NewDisposeScope();
        using var model = new MobileNetV2();
        model.eval();
        Assert.Equal([1, 1000], model.call(randn(1, 3, 224, 224)).shape);
        using var small = Small();
        small.eval();
        var maps = small.features.call(randn(2, 1, 28, 28));
        Assert.Equal([2, 64, 7, 7], maps.shape);
        Assert.Equal([2, 10], small.call(randn(2, 1, 28, 28)).shape);
    }

    [Fact]
    public void Only_blocks_that_keep_the_shape_add_their_input()
    {
        using var model = new MobileNetV2();
        var blocks = model.features.modules().OfType<InvertedResidual>().ToList();
        Assert.Equal(17, blocks.Count);
        Assert.Equal(10, blocks.Count(b => b.skip_add is not null));
    }

    [Fact]
    public void Fused_model_equals_unfused_in_eval()
    {
        using var model = Small();
        using var data = Data();
        ModelClaims.Fused_equals_unfused(model, m => ((MobileNetV2)m).fuse_model(), data);
    }

    [Fact]
    public void A_model_in_training_mode_is_not_fused()
    {
        using var model = Small();
        Assert.Throws<ModuleFusionException>(() => model.fuse_model());
        Assert.Contains(model.modules(), m => m is BatchNorm2d);
    }

    [Fact]
    public void Every_layer_of_a_converted_model_computes_in_int8()
    {
        using var model = Small();
        using var data = Data();
        ModelClaims.Converted_computes_every_layer_in_int8(model, m => ((MobileNetV2)m).fuse_model(), data);
    }

    [Fact]
    public void Forwards_leave_no_tensors_behind()
    {
        using var model = Small();
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
        Assert.Equal("width_mult", Assert.Throws<ArgumentOutOfRangeException>(() => new MobileNetV2(width_mult: 0)).ParamName);
        Assert.Equal("inverted_residual_setting", Assert.Throws<ArgumentException>(() => new MobileNetV2(inverted_residual_setting: [])).ParamName);
        Assert.Equal("stride", Assert.Throws<ArgumentOutOfRangeException>(() => new InvertedResidual(8, 8, 3, 1)).ParamName);
    }

    private static MobileNetV2 Small()
    {
        random.manual_seed(5);
        return new MobileNetV2(num_classes: 10, inverted_residual_setting: [(1, 16, 1, 1), (4, 24, 2, 2), (4, 32, 2, 2)], in_channels: 1, stemChannels: 16, stemStride: 1, lastChannels: 64);
    }

    private static Tensor Data()
    {
        using var generator = new Generator(6);
        return randn(16, 1, 28, 28, generator: generator);
    }
}
