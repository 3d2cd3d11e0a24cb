using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

[Collection(nameof(Alone))]
public sealed class ImageFolderLifetimeTests
{
    [Fact]
    public void Neither_images_nor_damaged_files_leave_tensors_behind()
    {
        using var files = new TemporaryFolder();
        Directory.CreateDirectory(files.File("train/ants"));
        var image = files.File("train/ants/1.png");
        File.WriteAllBytes(image, ImageFiles.Png(ImageFiles.Noise(1, 40 * 30 * 3), 40, 30, 3));
        foreach (var transform in new[] { new ImageClassification(20, 24), new ImageClassification(20, 24, [0.5f], [0.25f], grayscale: true) })
        {
            using var folder = new ImageFolder(files.File("train"), transform.call);
            Assert.InRange(Fusion.TensorsLeft.By(() => DisposeAll(folder.GetTensor(0))), long.MinValue, 10);
            using var loader = utils.data.DataLoader(folder, 4, num_worker: 2, disposeDataset: false);
            Assert.InRange(Fusion.TensorsLeft.By(() => Assert.Single(loader)), long.MinValue, 10);
        }

        using var failing = new ImageFolder(files.File("train"), _ => throw new ArithmeticException());
        Assert.InRange(Fusion.TensorsLeft.By(() => Assert.Throws<ArithmeticException>(() => failing.GetTensor(0))), long.MinValue, 10);
        File.WriteAllBytes(image, [1]);
        using var damaged = new ImageFolder(files.File("train"));
        Assert.InRange(Fusion.TensorsLeft.By(() => Assert.Throws<InvalidDataException>(() => damaged.GetTensor(0))), long.MinValue, 10);
    }

    [Fact]
    public void Images_belong_to_the_callers_scope_and_their_sources_do_not()
    {
        using var files = new TemporaryFolder();
        Directory.CreateDirectory(files.File("ants"));
        File.WriteAllBytes(files.File("ants/1.png"), ImageFiles.Png(ImageFiles.Noise(1, 40 * 30 * 3), 40, 30, 3));
        using var folder = new ImageFolder(files.Path, new ImageClassification(20, 24).call);
        using var scope = NewDisposeScope();
        var item = folder.GetTensor(0);
        Assert.Equal(2, scope.DisposablesCount);
        Assert.All(item.Values, tensor => Assert.False(tensor.IsInvalid));
    }

    private static void DisposeAll(Dictionary<string, Tensor> item)
    {
        foreach (var tensor in item.Values) tensor.Dispose();
    }
}
