using System.Buffers.Binary;
using System.IO.Compression;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Interactive.Rendering;
using TorchQuant.Interactive.Tests.Charts;
using TorchQuant.Interactive.Tests.Tables;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Interactive.Tests.Displays;

[Collection("torch")]
public class ImageGridTests
{
    private static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    [Property(MaxTest = 60)]
    public Property A_png_holds_its_pixels_row_by_row() =>
        Prop.ForAll(Arb.From(from width in Gen.Choose(1, 40) from height in Gen.Choose(1, 40) from channels in Gen.Elements(1, 3) from pixels in Gen.ArrayOf(Gen.Choose(0, 255), width * height * channels) select (width, height, channels, pixels)), image =>
        {
            byte[] pixels = [.. image.pixels.Select(value => (byte)value)];
            var (header, rows) = Read(Png.Encode(pixels, image.width, image.height, image.channels));
            Assert.Equal((image.width, image.height), (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4))));
            Assert.Equal([8, (byte)(image.channels == 1 ? 0 : 2), 0, 0, 0], header[8..]);
            var stride = image.width * image.channels;
            Assert.Equal(image.height * (stride + 1), rows.Length);
            for (var y = 0; y < image.height; y++)
            {
                Assert.Equal(0, rows[y * (stride + 1)]);
                Assert.Equal(pixels.AsSpan(y * stride, stride), rows.AsSpan(y * (stride + 1) + 1, stride));
            }
        });

    [Fact]
    public void A_png_ends_with_the_chunk_that_every_png_ends_with() =>
        Assert.Equal([0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82], Png.Encode([7], 1, 1, 1)[^12..]);

    [Fact]
    public void Images_have_their_captions_and_marks_that_are_no_colours()
    {
        var body = TableTests.Body(Grid);
        var figures = body.Descendants("figure").ToList();
        Assert.Equal(2, figures.Count);
        var image = figures[0].Element("img")!;
        Assert.StartsWith("data:image/png;base64,", (string)image.Attribute("src")!, StringComparison.Ordinal);
        Assert.Equal(("Sneaker", "96", "48"), ((string)image.Attribute("alt")!, (string)image.Attribute("width")!, (string)image.Attribute("height")!));
        var lines = figures[0].Descendants("div").Select(line => line.Value).ToList();
        Assert.Equal(["Sneaker", "float Sneaker ✓", "int8 Sandal ✗", "third Bag"], lines);
        var dots = figures[0].Descendants("span").Where(span => (string?)span.Attribute("class") == "tq-dot").Select(span => (string)span.Attribute("style")!);
        Assert.Equal([$"background:{Palette.Float}", $"background:{Palette.Int8}", $"background:{Palette.Neutral}"], dots);
        Assert.Single(figures[0].Descendants("div"), line => (string?)line.Attribute("class") == "tq-wrong");
    }

    [Fact]
    public void The_text_form_is_what_is_written() =>
        Assert.Equal("Mistakes\n1. Sneaker  float: Sneaker ✓  int8: Sandal ✗  third: Bag\n2.\nsmall print", Grid.ToText());

    [Fact]
    public void The_same_images_give_the_same_bytes() => Assert.Equal(Grid.ToHtml(), (Grid with { }).ToHtml());

    [Fact]
    public void Markup_in_an_image_grid_stays_text()
    {
        var grid = new ImageGrid(Samples.Evil, [new GridImage(1, 1, [0]) { Caption = Samples.Evil, Predictions = [new(Samples.Evil, Samples.Evil, false)] }]) { Caption = Samples.Evil };
        Assert.DoesNotContain("<script", grid.ToHtml(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(TableTests.Body(grid).Descendants(), element => element.Name.LocalName == "script");
        Assert.Contains("alert(", (string)TableTests.Body(grid).Descendants("img").Single().Attribute("alt")!, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_of_bytes_and_of_floats_from_0_to_1_are_images()
    {
        using var bytes = tensor(new byte[] { 0, 51, 255, 102 }, [1, 2, 2]);
        using var floats = tensor(new[] { 0f, 0.2f, 1f, 0.4f }, [2, 2]);
        Assert.Equal([0, 0, 51, 0, 255, 102], Rows(Display.Image(bytes)));
        Assert.Equal(Rows(Display.Image(bytes)), Rows(Display.Image(floats, "floats")));
        // Planes of red, green, blue become pixels.
        using var planes = tensor(new byte[] { 1, 2, 3, 4, 5, 6 }, [3, 1, 2]);
        Assert.Equal([0, 1, 3, 5, 2, 4, 6], Rows(Display.Image(planes)));
    }

    [Fact]
    public void Tensors_that_are_no_images_are_refused_with_what_they_are()
    {
        using var batch = zeros(2, 1, 4, 4);
        using var normalized = tensor(new[] { -1f, 2f }, [1, 2]);
        using var notNumbers = tensor(new[] { float.NaN, 0f }, [1, 2]);
        using var longs = zeros(2, 2, ScalarType.Int64);
        Assert.Contains("2 × 1 × 4 × 4", Assert.Throws<ArgumentException>(() => Display.Image(batch)).Message, StringComparison.Ordinal);
        Assert.Contains("from -1 to 2; undo its normalization", Assert.Throws<ArgumentException>(() => Display.Image(normalized)).Message, StringComparison.Ordinal);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => Display.Image(notNumbers)).Message, StringComparison.Ordinal);
        Assert.Contains("Int64", Assert.Throws<ArgumentException>(() => Display.Image(longs)).Message, StringComparison.Ordinal);
        Assert.Contains("2 × 2 has 4 bytes when it is grey and 12 when it is RGB, not 5", Assert.Throws<ArgumentException>(() => new GridImage(2, 2, new byte[5])).Message, StringComparison.Ordinal);
    }

    private static ImageGrid Grid => new("Mistakes",
        [
            new GridImage(4, 2, new byte[8]) { Caption = "Sneaker", Predictions = [new("float", "Sneaker", true), new("int8", "Sandal", false), new("third", "Bag")] },
            new GridImage(1, 1, [1, 2, 3]),
        ])
    { Caption = "small print", ImageWidth = 96 };

    private static byte[] Rows(GridImage image) => Read(Convert.FromBase64String(image.DataUri["data:image/png;base64,".Length..])).Rows;

    // Header and unpacked data of a PNG.
    private static (byte[] Header, byte[] Rows) Read(byte[] png)
    {
        Assert.Equal(Signature, png[..8]);
        byte[] header = [], data = [];
        for (var at = 8; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            var content = png[(at + 8)..(at + 8 + length)];
            if (png.AsSpan(at + 4, 4).SequenceEqual("IHDR"u8)) header = content;
            if (png.AsSpan(at + 4, 4).SequenceEqual("IDAT"u8)) data = content;
            at += 12 + length;
        }
        using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
        using var rows = new MemoryStream();
        zlib.CopyTo(rows);
        return (header, rows.ToArray());
    }
}
