using TorchQuant.Models;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

/// <summary>Small models with torchvision's names, and files of their weights.</summary>
internal static class WeightsFiles
{
    /// <summary>Two batches have gone through it in training mode: its statistics are its own.</summary>
    public static nn.Module<Tensor, Tensor> Model(string name, long seed, long classes = 5)
    {
        random.manual_seed(seed);
        nn.Module<Tensor, Tensor> model = name switch
        {
            "resnet18" => ResNet.resnet18(classes, width: 8),
            "resnet50" => ResNet.resnet50(classes, width: 8),
            _ => new MobileNetV2(classes, inverted_residual_setting: [(1, 16, 1, 1), (4, 24, 2, 2)], stemChannels: 16, lastChannels: 64),
        };
        using var data = Images();
        ModelClaims.Settle(model, data);
        model.train();
        return model;
    }

    public static Tensor Images()
    {
        using var generator = new Generator(6);
        return randn(4, 3, 32, 32, generator: generator);
    }

    public static string SafeTensors(TemporaryFolder folder, Dictionary<string, Tensor> state)
    {
        var path = folder.File("weights.safetensors");
        TorchQuant.SafeTensors.Write(path, state);
        return path;
    }

    public static string TorchScript(TemporaryFolder folder, nn.Module model)
    {
        var path = folder.File("weights.pt");
        TorchScriptArchive.Write(path, model.named_parameters().Select(p => (p.name, (Tensor)p.parameter)), model.named_buffers());
        return path;
    }

    public static Dictionary<string, Tensor> Clone(Dictionary<string, Tensor> state) => state.ToDictionary(t => t.Key, t => t.Value.clone());
}
