using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Folders_are_classes_and_images_are_listed_in_torchvisions_order()
    {
        foreach (var name in new[] { "bees/b.png", "bees/a.PNG", "bees/Z.jpg", "bees/more/0.jpeg", "bees/deep/er/1.bmp", "ants/x.jpg", "Zebra/y.bmp", "Zebra/notes.txt", "Zebra/.hidden.png", "list.png" })
            Put(name, []);
        using var folder = new ImageFolder(_root.Path);
        Assert.Equal(["Zebra", "ants", "bees"], folder.classes);
        Assert.Equal([("Zebra", 0L), ("ants", 1L), ("bees", 2L)], folder.class_to_idx.Select(c => (c.Key, c.Value)).OrderBy(c => c.Value));
        Assert.Equal(8, folder.Count);
        // sorted(os.walk(folder)), in each the sorted names.
        Assert.Equal(
            [("Zebra/.hidden.png", 0L), ("Zebra/y.bmp", 0L), ("ants/x.jpg", 1L), ("bees/Z.jpg", 2L), ("bees/a.PNG", 2L), ("bees/b.png", 2L), ("bees/deep/er/1.bmp", 2L), ("bees/more/0.jpeg", 2L)],
            folder.samples.Select(s => (Path.GetRelativePath(_root.Path, s.path).Replace('\\', '/'), s.target)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 5)]
    [InlineData(64, 33)]
    public void Png_and_bmp_give_every_pixel(int width, int height)
    {
        using var scope = NewDisposeScope();
        var grey = ImageFiles.Noise(1, width * height);
        var rgb = ImageFiles.Noise(2, width * height * 3);
        var transparent = rgb.Chunk(3).SelectMany((pixel, i) => pixel.Append((byte)i)).ToArray();
        Put("c/0.png", ImageFiles.Png(rgb, width, height, 3));
        Put("c/1.png", ImageFiles.Png(transparent, width, height, 4));
        Put("c/2.bmp", ImageFiles.Bmp(rgb, width, height));
        Put("c/3.jpg", ImageFiles.Png(rgb, width, height, 3)); // the content counts
        Put("c/4.png", ImageFiles.Png(grey, width, height, 1));
        using var folder = new ImageFolder(_root.Path);
        var expected = tensor(rgb).view(height, width, 3).permute(2, 0, 1);
        for (var i = 0; i < 4; i++) Assert.Equal(expected, folder.GetTensor(i)["data"]);
        Assert.Equal(tensor(grey).view(1, height, width).expand(3, height, width), folder.GetTensor(4)["data"]);
        Assert.Equal(ScalarType.Int64, folder.GetTensor(4)["label"].dtype);
    }

    [Theory]
    [InlineData("image.jpg", 0)]
    [InlineData("image_progressive.jpg", 1)]
    [InlineData("image_grey.jpg", 2)]
    public void Jpeg_gives_what_libjpeg_gives_but_for_rounding(string name, int place)
    {
        const int Width = 71, Height = 47, Bytes = Width * Height * 3;
        using var scope = NewDisposeScope();
        Put("c/image.jpg", File.ReadAllBytes(Oracle.PathOf(name)));
        using var folder = new ImageFolder(_root.Path);
        var pillow = tensor(File.ReadAllBytes(Oracle.PathOf("image.bin"))[(place * Bytes)..((place + 1) * Bytes)]).view(Height, Width, 3).permute(2, 0, 1);
        var difference = (folder.GetTensor(0)["data"].to(ScalarType.Float32) - pillow.to(ScalarType.Float32)).abs();
        // Their cosine transforms and their enlarging of the colours round differently.
        Assert.InRange(difference.max().item<float>(), 0, 4);
        Assert.InRange(difference.mean().item<float>(), 0, 0.5);
    }

    [Fact]
    public void A_loader_reads_batches_when_they_are_asked_for()
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < 7; i++) Put($"{(i < 3 ? "ants" : "bees")}/{i}.png", ImageFiles.Png(ImageFiles.Noise(i, 30 * (20 + i) * 3), 30, 20 + i, 3));
        var transform = new ImageClassification(16, 18);
        using var folder = new ImageFolder(_root.Path, transform.call);
        using var loader = utils.data.DataLoader(folder, 3, num_worker: 2, disposeDataset: false);
        var labels = new List<long>();
        var rows = 0;
        foreach (var batch in loader)
        {
            Assert.Equal([Math.Min(3, 7 - rows), 3, 16, 16], batch["data"].shape);
            Assert.Equal(transform.call(new ImageFolder(_root.Path).GetTensor(rows)["data"]), batch["data"][0]);
            labels.AddRange(batch["label"].data<long>());
            rows += (int)batch["data"].shape[0];
        }

        Assert.Equal([0, 0, 0, 1, 1, 1, 1], labels);
        // A damaged image is found when its batch is made, not before.
        Put("bees/5.png", [1, 2, 3]);
        using var batches = loader.GetEnumerator();
        Assert.True(batches.MoveNext());
        Assert.Contains("5.png (3 bytes, beginning with 010203)", Assert.Throws<AggregateException>(() => batches.MoveNext()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_without_classes_or_images_are_refused_with_the_mend()
    {
        var missing = _root.File("none");
        Assert.Contains($"There is no folder {missing}.", Assert.Throws<DirectoryNotFoundException>(() => new ImageFolder(missing)).Message, StringComparison.Ordinal);
        Assert.Contains("one for each class was expected", Assert.Throws<FileNotFoundException>(() => new ImageFolder(_root.Path)).Message, StringComparison.Ordinal);
        Put("ants/1.png", []);
        Put("bees/notes.txt", []);
        var message = Assert.Throws<FileNotFoundException>(() => new ImageFolder(_root.Path)).Message;
        Assert.Contains($"There are no images (.jpg, .jpeg, .png, .bmp) in {_root.File("bees")}.", message, StringComparison.Ordinal);
        Assert.Contains("remove the folder", message, StringComparison.Ordinal);
        for (var i = 0; i < 6; i++) Put($"bees/{i}.webp", []);
        message = Assert.Throws<NotSupportedException>(() => new ImageFolder(_root.Path)).Message;
        Assert.Contains("has 6 images of a kind that is not read here", message, StringComparison.Ordinal);
        Assert.Contains("4.webp and 1 more. Expected .jpg, .jpeg, .png, .bmp; convert them to .png.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void An_index_beyond_the_images_is_refused(long index)
    {
        Put("ants/1.png", []);
        using var folder = new ImageFolder(_root.Path);
        Assert.Equal("index", Assert.Throws<ArgumentOutOfRangeException>(() => folder.GetTensor(index)).ParamName);
    }

    private void Put(string name, byte[] content)
    {
        var path = _root.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }
}
