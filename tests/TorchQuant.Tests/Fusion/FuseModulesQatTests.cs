using TorchQuant.Models;
using TorchQuant.Modules;
using TorchQuant.Tests.Static;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>Fusing for quantization-aware training.</summary>
public class FuseModulesQatTests
{
    public static TheoryData<int, bool, string> Convolutions { get; } = new MatrixTheoryData<int, bool, string>([1, 2, 3], [false, true], ["", "ReLU", "ReLU6"]);

    [Theory]
    [MemberData(nameof(Convolutions))]
    public void A_convolution_and_its_batch_norm_become_one_and_go_on_training(int dims, bool norm, string activation)
    {
        if (!norm && activation.Length == 0)
            return;
        using var scope = NewDisposeScope();
        List<(string, MTT)> parts = [("conv", dims == 1 ? nn.Conv1d(2, 3, 2) : dims == 2 ? nn.Conv2d(2, 3, 2) : nn.Conv3d(2, 3, 2))];
        if (norm)
            parts.Add(("norm", dims == 1 ? nn.BatchNorm1d(3) : dims == 2 ? nn.BatchNorm2d(3) : nn.BatchNorm3d(3)));
        if (activation.Length > 0)
            parts.Add(("activation", activation == "ReLU" ? nn.ReLU() : nn.ReLU6()));
        using var model = nn.Sequential(parts);
        var parameters = model.parameters().ToList();
        var x = randn([2, 2, .. Enumerable.Repeat(4L, dims)]);
        var names = parts.Select(p => p.Item1).ToArray();
        using var reference = ModuleTree.Copy(model);

        Assert.Same(model, quantization.fuse_modules_qat(model, names, inplace: true));
        var ours = activation == "ReLU6";
        Assert.Equal($"Conv{(ours ? $"{dims}d" : "")}{(norm ? "Bn" : "")}{activation}{(ours ? "" : $"{dims}d")}", model[0].GetType().Name);
        Assert.All(model.children().Skip(1), child => Assert.IsType<Identity>(child));
        Assert.Equal(parameters, model.parameters(), ReferenceEqualityComparer.Instance);
        Assert.Equal(reference.call(x), model.call(x));
        reference.eval(); // the batch norms have learned the same
        model.eval();
        Assert.Equal(reference.call(x), model.call(x));
    }

    [Fact]
    public void A_linear_and_its_batch_norm_become_one_and_an_optimizer_keeps_its_parameters()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("fc", nn.Linear(4, 3)), ("norm", nn.BatchNorm1d(3)), ("out", nn.Linear(3, 2)), ("relu", nn.ReLU()));
        using var optimizer = optim.SGD(model.parameters(), 0.1);
        quantization.fuse_modules_qat(model, [["fc", "norm"], ["out", "relu"]], inplace: true);
        var linear = Assert.IsType<LinearBn1d>(model[0]);
        Assert.IsType<LinearReLU>(model[2]);
        var before = linear.First.weight.clone();
        var gamma = linear.Norm.weight.clone();
        var y = model.call(randn(8, 4));
        (y * randn(8, 2)).sum().backward();
        optimizer.step();
        Assert.NotEqual(before, linear.First.weight);
        Assert.NotEqual(gamma, linear.Norm.weight);
    }

    [Fact]
    public void A_copy_is_fused_and_the_model_stays_as_it_is()
    {
        using var model = new Tutorial();
        var before = ModelSnapshot.Of(model);
        using var fused = quantization.fuse_modules_qat(model, ["conv", "batchnorm", "relu"]);
        Assert.Equal(before, ModelSnapshot.Of(model));
        var one = Assert.IsType<ConvBnReLU2d>(fused.conv);
        Assert.NotSame(((Conv2d)model.conv).weight, one.First.weight);
        Assert.Equal(["conv.0.weight", "conv.0.bias", "conv.1.weight", "conv.1.bias"], fused.named_parameters().Select(p => p.name));
        Assert.Equal(
            "ConvBnReLU2d(\n  (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))\n  (1): BatchNorm2d(8, eps=1E-05, momentum=0.1, affine=True, track_running_stats=True)\n  (2): ReLU()\n)",
            one.ToString());
    }

    [Fact]
    public void Sequences_are_found_by_watching_a_run()
    {
        using var scope = NewDisposeScope();
        using var model = new Tutorial();
        using var byName = quantization.fuse_modules_qat(model, ["conv", "batchnorm", "relu"]);
        var before = ModelSnapshot.Of(model);
        var x = randn(2, 3, 4, 4);
        using var found = quantization.fuse_modules_qat(model, x, out var report);
        Assert.Equal(before, ModelSnapshot.Of(model));
        Assert.Equal(["conv", "batchnorm", "relu"], Assert.Single(report.Fused).Names);
        Assert.Equal(Types(byName), Types(found));
        Assert.True(found.training && found.conv.training);

        var parameters = model.parameters().ToList();
        Assert.Same(model, quantization.fuse_modules_qat(model, m => m.call(x), inplace: true));
        Assert.IsType<ConvBnReLU2d>(model.conv);
        Assert.Equal(parameters, model.parameters(), ReferenceEqualityComparer.Instance);
        Assert.Equal(byName.call(x), model.call(x));
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("resnet50")]
    [InlineData("mobilenet_v2")]
    public void In_the_models_of_the_library_all_is_found(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Make();
        using var byName = ModuleTree.Copy(model);
        if (byName is ResNet resnet)
            resnet.fuse_model(is_qat: true);
        else
            ((MobileNetV2)byName).fuse_model(is_qat: true);
        quantization.fuse_modules_qat(model, randn(1, 1, 16, 16), inplace: true);
        Assert.Equal(Types(byName), Types(model));

        MTT Make() => name switch
        {
            "resnet18" => ResNet.resnet18(10, in_channels: 1, width: 8, smallImages: true),
            "resnet50" => ResNet.resnet50(10, in_channels: 1, width: 8, smallImages: true),
            _ => new MobileNetV2(num_classes: 10, inverted_residual_setting: [(1, 16, 1, 1), (4, 24, 2, 2)], in_channels: 1, stemChannels: 16, stemStride: 1, lastChannels: 64),
        };
    }

    private static IEnumerable<(string, Type)> Types(nn.Module model) => ModuleTree.Walk(model).Select(m => (m.Path, m.Module.GetType()));

    [Fact]
    public void Watched_in_eval_mode_a_model_is_refused_and_what_cannot_be_trained_as_one_is_left()
    {
        using var scope = NewDisposeScope();
        using var model = new Tutorial();
        model.eval();
        Assert.Contains("fuse_modules_qat is for training mode", Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules_qat(model, randn(1, 3, 4, 4))).Message, StringComparison.Ordinal);
        using var up = nn.Sequential(("up", nn.ConvTranspose2d(2, 2, 1)), ("bn", nn.BatchNorm2d(2)), ("relu", nn.ReLU()));
        quantization.fuse_modules_qat(up, randn(1, 2, 3, 3), out var report, inplace: true);
        Assert.Equal(["bn", "relu"], Assert.Single(report.Fused).Names);
        Assert.IsType<ConvTranspose2d>(up[0]);
    }

    [Fact]
    public void What_cannot_be_trained_as_one_is_refused_with_the_mend_and_the_model_unchanged()
    {
        using var model = nn.Sequential(
            ("conv", nn.Conv2d(1, 2, 1)), ("bn", nn.BatchNorm2d(3)), ("relu", nn.ReLU()), ("up", nn.ConvTranspose2d(2, 2, 1)), ("bn2", nn.BatchNorm2d(2)), ("fc", nn.Linear(2, 2)), ("sigmoid", nn.Sigmoid()));
        ((MTT)model[1]).register_forward_hook((_, _, y) => y);
        ((MTT)model[5]).eval();
        var before = ModelSnapshot.Of(model);
        var problems = Assert.Throws<ModuleFusionException>(
            () => quantization.fuse_modules_qat(model, [["conv", "bn", "relu"], ["up", "bn2"], ["fc", "sigmoid"], ["none"]], inplace: true)).Problems;
        Assert.Equal(before, ModelSnapshot.Of(model));
        Assert.Contains("conv, bn, relu: bn normalizes 3 features, but conv gives 2; they must be equal", problems);
        Assert.Contains("conv, bn, relu: hooks between bn and relu have no place in the fused module; remove them, or register forward hooks on relu", problems);
        Assert.Contains(
            "up, bn2: (ConvTranspose2d, BatchNorm2d) cannot be trained as one, only folded after training: call fuse_modules in eval mode, or leave the batch norm out of the list", problems);
        Assert.Contains("fc, sigmoid: (Linear, Sigmoid) is no sequence that can be fused", problems);
        Assert.Contains(problems, p => p.StartsWith("'none': there is no such module", StringComparison.Ordinal));
    }

    [Fact]
    public void Modules_in_eval_mode_are_refused()
    {
        using var model = new Tutorial();
        model.batchnorm.eval();
        Assert.Equal(
            ["conv, batchnorm, relu: fuse_modules_qat is for training mode: batchnorm in eval mode; call model.train() first, or fuse_modules for a model that is trained already"],
            Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules_qat(model, ["conv", "batchnorm", "relu"])).Problems);
    }

    [Fact]
    public void Hooks_before_the_first_and_after_the_last_go_on_running()
    {
        using var scope = NewDisposeScope();
        using var model = new Tutorial();
        var calls = new List<string>();
        model.conv.register_forward_pre_hook((_, x) =>
        {
            calls.Add("before");
            return x;
        });
        model.relu.register_forward_hook((_, _, y) =>
        {
            calls.Add("after");
            return y;
        });
        quantization.fuse_modules_qat(model, ["conv", "batchnorm", "relu"], inplace: true);
        model.call(randn(2, 3, 4, 4));
        Assert.Equal(["before", "after"], calls);
    }
}
