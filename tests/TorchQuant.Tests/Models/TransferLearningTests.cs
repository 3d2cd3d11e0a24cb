using TorchQuant.Models;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

/// <summary>From files to an int8 model: weights of other classes and a folder of images, fine-tuned with quantization in the loop.</summary>
public class TransferLearningTests
{
    [Fact]
    public void Loaded_weights_and_a_folder_of_images_become_an_int8_model_that_tells_the_classes()
    {
        using var scope = NewDisposeScope();
        using var files = new TemporaryFolder();
        using var pretrained = WeightsFiles.Model("resnet18", seed: 1);
        var weights = WeightsFiles.TorchScript(files, pretrained);
        for (var i = 0; i < 16; i++) WriteImage(files, i);

        var transform = new ImageClassification(crop_size: 32, resize_size: 36);
        using var train = new ImageFolder(files.File("train"), transform.call);
        using var loader = utils.data.DataLoader(train, batchSize: 8, shuffle: true, seed: 1, num_worker: 2, disposeDataset: false);
        using var model = ResNet.resnet18(num_classes: train.classes.Count, width: 8);
        model.LoadWeights(weights, head: false);

        model.fuse_model(is_qat: true);
        model.qconfig = quantization.get_default_qat_qconfig();
        using var prepared = quantization.prepare_qat(model);
        using var optimizer = optim.SGD(prepared.parameters(), 0.01, momentum: 0.9);
        for (var epoch = 0; epoch < 6; epoch++)
            foreach (var batch in loader)
            {
                using var step = NewDisposeScope();
                optimizer.zero_grad();
                nn.functional.cross_entropy(prepared.call(batch["data"]), batch["label"]).backward();
                optimizer.step();
            }

        prepared.eval();
        using var int8 = quantization.convert(prepared);
        Assert.IsType<QuantizedConvolution>(int8.conv1);
        var right = 0L;
        foreach (var batch in loader) right += int8.call(batch["data"]).argmax(1).eq(batch["label"]).sum().item<long>();
        Assert.Equal(16, right);
    }

    // Bright ones and dark ones, of several sizes.
    private static void WriteImage(TemporaryFolder files, int number)
    {
        var (bright, width, height) = (number % 2 == 0, 40 + number, 60 - number);
        var folder = files.File(bright ? "train/day" : "train/night");
        Directory.CreateDirectory(folder);
        byte[] pixels = [.. ImageFiles.Noise(number, width * height * 3).Select(value => (byte)((value / 2) + (bright ? 127 : 0)))];
        File.WriteAllBytes(Path.Combine(folder, $"{number}.bmp"), ImageFiles.Bmp(pixels, width, height));
    }
}
