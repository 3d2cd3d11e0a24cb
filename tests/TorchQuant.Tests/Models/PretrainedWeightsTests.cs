using TorchQuant.Models;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public sealed class PretrainedWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, bool> Files => new()
    {
        { "resnet18", false }, { "resnet18", true }, { "resnet50", true }, { "mobilenet_v2", false }, { "mobilenet_v2", true },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void A_loaded_model_is_the_saved_one_bit_for_bit(string name, bool torchScript)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var saved = WeightsFiles.Model(name, seed: 1);
        using var loaded = WeightsFiles.Model(name, seed: 2);
        var path = torchScript ? WeightsFiles.TorchScript(_folder, saved) : WeightsFiles.SafeTensors(_folder, saved.state_dict());
        var report = Load(loaded, path);

        var (expected, actual) = (saved.state_dict(), loaded.state_dict());
        Assert.Equal(expected.Keys.Order(), report.Loaded.Order());
        Assert.Empty(report.LeftOut.Concat(report.Kept).Concat(report.Ignored));
        Assert.All(expected, t => Assert.Equal(t.Value, actual[t.Key]));
        Assert.Equal(2, actual[expected.Keys.First(k => k.EndsWith("num_batches_tracked", StringComparison.Ordinal))].item<long>());
        saved.eval();
        loaded.eval();
        var x = WeightsFiles.Images();
        Assert.Equal(saved.call(x), loaded.call(x));
    }

    [Fact]
    public void An_archive_that_torchvision_made_gives_torchvisions_scores()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var path = Oracle.PathOf("torchvision_mobilenet_v2.pt");
        using var model = new MobileNetV2(3, width_mult: 0.25, inverted_residual_setting: [(1, 16, 1, 1), (6, 24, 2, 2)]);
        Assert.Equal(model.state_dict().Count, model.LoadWeights(path).Loaded.Count);
        model.eval();
        using var torchvision = jit.load<Tensor, Tensor>(path);
        var x = WeightsFiles.Images();
        var expected = torchvision.call(x);
        var difference = (expected - model.call(x)).abs().max().item<float>();
        Assert.True(difference <= 1e-5f * expected.abs().max().item<float>(), $"{difference}");
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Half_precision_becomes_float32(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = WeightsFiles.Model("resnet18", seed: 1);
        var state = model.state_dict().ToDictionary(t => t.Key, t => t.Value.is_floating_point() ? t.Value.to(type) : t.Value.clone());
        using var loaded = (ResNet)WeightsFiles.Model("resnet18", seed: 2);
        loaded.LoadWeights(WeightsFiles.SafeTensors(_folder, state));
        Assert.All(loaded.parameters(), p => Assert.True(p.dtype == ScalarType.Float32 && p.requires_grad));
        Assert.All(loaded.state_dict(), t => Assert.Equal(state[t.Key].to(t.Value.dtype), t.Value));
    }

    [Theory]
    [InlineData("resnet18", "fc")]
    [InlineData("mobilenet_v2", "classifier.1")]
    public void Without_the_head_the_classes_may_be_others(string name, string head)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var saved = WeightsFiles.Model(name, seed: 1);
        using var loaded = WeightsFiles.Model(name, seed: 2, classes: 2);
        var path = WeightsFiles.TorchScript(_folder, saved);
        var before = WeightsFiles.Clone(loaded.state_dict());
        var report = Load(loaded, path, head: false);
        Assert.Equal([$"{head}.bias", $"{head}.weight"], report.LeftOut.Order());
        var expected = saved.state_dict();
        Assert.Equal(expected.Count - 2, report.Loaded.Count);
        Assert.All(loaded.state_dict(), t => Assert.Equal((t.Key.StartsWith(head, StringComparison.Ordinal) ? before : expected)[t.Key], t.Value));
        // A file without a head will do as well.
        File.Delete(path);
        var headless = expected.Where(t => !t.Key.StartsWith(head, StringComparison.Ordinal)).ToDictionary();
        Assert.Equal(report.Loaded, Load(loaded, WeightsFiles.SafeTensors(_folder, headless), head: false).Loaded);
    }

    [Fact]
    public void What_only_quantizable_models_have_is_ignored_and_missing_counters_are_kept()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var saved = WeightsFiles.Model("resnet18", seed: 1);
        var state = saved.state_dict().Where(t => !t.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).ToDictionary();
        string[] extra =
        [
            "quant.activation_post_process.min_val", "quant.scale", "dequant.zero_point", "layer1.0.add_relu.activation_post_process.max_val", "layer1.0.add_relu.scale",
            "layer1.0.skip_add.activation_post_process.eps", "layer3.1.skip_add_relu.zero_point", "conv1.activation_post_process.histogram",
        ];
        foreach (var name in extra) state[name] = tensor(float.NaN);
        using var loaded = (ResNet)WeightsFiles.Model("resnet18", seed: 2);
        loaded.bn1.get_buffer("num_batches_tracked")!.fill_(77);
        var report = loaded.LoadWeights(WeightsFiles.SafeTensors(_folder, state));
        Assert.Equal(extra.Order(StringComparer.Ordinal), report.Ignored.Order(StringComparer.Ordinal));
        Assert.Equal(20, report.Kept.Count);
        Assert.All(report.Kept, name => Assert.EndsWith("num_batches_tracked", name, StringComparison.Ordinal));
        Assert.Equal(77, loaded.state_dict()["bn1.num_batches_tracked"].item<long>());
        Assert.Equal(state["layer1.0.bn1.running_var"], loaded.state_dict()["layer1.0.bn1.running_var"]);
        Assert.Contains("102 tensors loaded; 20 kept: bn1.num_batches_tracked, ", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_modules_share_loads_under_either_name()
    {
        using var scope = NewDisposeScope();
        using var model = new TiedNet();
        var values = randn(3, 3);
        Assert.Equal(["first.weight"], PretrainedWeights.Load(model, Write(new() { ["second.weight"] = values })).Loaded);
        Assert.Equal(values, model.state_dict()["first.weight"]);
        PretrainedWeights.Load(model, Write(new() { ["first.weight"] = values * 2, ["second.weight"] = values * 2 }));
        Assert.Equal(values * 2, model.state_dict()["second.weight"]);
        var error = Assert.Throws<QuantizedFileException>(() => PretrainedWeights.Load(model, Write(new() { ["first.weight"] = values, ["second.weight"] = values * 2 })));
        Assert.Contains("first.weight: found other values than in second.weight", error.Message, StringComparison.Ordinal);
        Assert.Equal(values * 2, model.state_dict()["first.weight"]);

        string Write(Dictionary<string, Tensor> state) => WeightsFiles.SafeTensors(_folder, state);
    }

    [Fact]
    public void The_model_keeps_its_tensors_and_mode_so_that_an_optimizer_goes_on()
    {
        using var saved = WeightsFiles.Model("resnet18", seed: 1);
        using var loaded = (ResNet)WeightsFiles.Model("resnet18", seed: 2);
        var parameters = loaded.parameters().ToList();
        loaded.eval();
        loaded.LoadWeights(WeightsFiles.TorchScript(_folder, saved));
        Assert.False(loaded.training);
        Assert.All(parameters.Zip(loaded.parameters()), p => Assert.Same(p.First, p.Second));
    }

    private static PretrainedWeightsReport Load(nn.Module model, string path, bool head = true) =>
        model is ResNet resnet ? resnet.LoadWeights(path, head) : ((MobileNetV2)model).LoadWeights(path, head);

    private sealed class TiedNet : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> first = nn.Linear(3, 3, hasBias: false);
        private readonly nn.Module<Tensor, Tensor> second = nn.Linear(3, 3, hasBias: false);

        public TiedNet() : base(nameof(TiedNet))
        {
            RegisterComponents();
            ((Linear)second).weight = ((Linear)first).weight;
        }

        public override Tensor forward(Tensor input) => second.call(first.call(input));
    }
}
