using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

[Collection(nameof(Alone))]
public sealed class PretrainedWeightsLifetimeTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Neither_loads_nor_refusals_leave_tensors_behind(bool torchScript)
    {
        using var folder = new TemporaryFolder();
        using var model = (ResNet)WeightsFiles.Model("resnet18", seed: 1);
        using var other = (ResNet)WeightsFiles.Model("resnet18", seed: 1, classes: 3);
        var path = torchScript ? WeightsFiles.TorchScript(folder, model) : WeightsFiles.SafeTensors(folder, model.state_dict());
        Assert.InRange(Fusion.TensorsLeft.By(() => model.LoadWeights(path)), long.MinValue, 10);
        Assert.InRange(Fusion.TensorsLeft.By(() => Assert.Throws<QuantizedFileException>(() => other.LoadWeights(path))), long.MinValue, 10);
    }

    [Fact]
    public void A_model_loaded_inside_a_scope_outlives_it()
    {
        using var folder = new TemporaryFolder();
        using var model = (ResNet)WeightsFiles.Model("resnet18", seed: 1);
        var path = WeightsFiles.TorchScript(folder, model);
        using (NewDisposeScope()) model.LoadWeights(path);
        Assert.All(model.state_dict().Values, tensor => Assert.False(tensor.IsInvalid));
    }
}
